"""The checker reports each kind of damage, and nothing for a valid history."""

from collections.abc import Callable
from copy import replace

import pytest
from redis.asyncio import Redis

from chaos import sim_history
from chaos.checker import violations
from chaos.faults import EndedHolder
from chaos.observer import ObservedHashes
from chaos.players import Acknowledged
from chaos.report import takeovers
from chaos.schedule import WORKER_KILLED
from chaos.sim_history import SimHistory
from fixtures.sim import Sim
from sector.models import Join, Note
from sector.models.archive import TickEntry
from sector.state.history.event_codec import Event, TickEvents

type Damage = Callable[[SimHistory], SimHistory]


def promises(sim: SimHistory, *acknowledged: Acknowledged, observed: ObservedHashes | None = None) -> set[str]:
    return {promise for promise, _ in violations(sim, acknowledged, observed)}


@pytest.fixture
async def played(sim: Sim, redis: Redis) -> SimHistory:
    """Six ticks, of which the second, fourth and sixth applied orders."""
    for number in range(3):
        await sim.tick()
        await sim.tick(Join(faction="Me"), Note(faction="Me", text=f"{number}"))
    return await sim_history.read(redis, "default")


def in_tick(number: int, **changed: object) -> Damage:
    """Change one entry of the event stream."""
    return lambda sim: replace(
        sim,
        ticks=[replace(each, **changed) if each.tick == number else each for each in sim.ticks],  # type: ignore[arg-type]
    )


def other_events(number: int, events: list[Event]) -> Damage:
    """Change the events of one tick."""

    def changed(tick: TickEvents) -> TickEvents:
        altered = replace(tick)
        # Events are decoded from bytes on access, so they are stored here.
        altered.__dict__["events"] = events
        return altered

    return lambda sim: replace(sim, ticks=[changed(each) if each.tick == number else each for each in sim.ticks])


def orders_of_tick_two_again_in_four(sim: SimHistory) -> SimHistory:
    return other_events(4, sim.ticks[1].events + sim.ticks[3].events)(sim)


def hash_altered(sim: SimHistory) -> SimHistory:
    entries = [
        replace(each, hash="0" * 32) if isinstance(each, TickEntry) and each.tick == 3 else each for each in sim.records
    ]
    return replace(sim, records=entries)


def orders_of_another_replayed(sim: SimHistory) -> SimHistory:
    entries = [
        replace(each, orders=()) if isinstance(each, TickEntry) and each.tick == 2 else each for each in sim.records
    ]
    return replace(sim, records=entries)


def test_a_valid_history_has_no_violations(played: SimHistory) -> None:
    acknowledged = [Acknowledged(order_id, "") for order_id in played.log]
    observed = ObservedHashes({tick.tick: tick.hash for tick in played.ticks})
    assert list(violations(played, acknowledged, observed)) == []


@pytest.mark.parametrize(
    ("damage", "broken"),
    [
        (other_events(2, []), "lost"),
        (orders_of_tick_two_again_in_four, "duplicated"),
        (in_tick(4, cursor="0-0"), "order"),
        (in_tick(4, epoch=0), "epochs"),
        (lambda sim: replace(sim, head=replace(sim.head, epoch=0)), "epochs"),
        (lambda sim: replace(sim, ticks=[*sim.ticks[:2], *sim.ticks[3:]]), "ticks"),
        (lambda sim: replace(sim, ticks=sim.ticks[:-1]), "ticks"),
        (lambda sim: replace(sim, head=replace(sim.head, hash="x")), "chain"),
        (lambda sim: replace(sim, gap="tick 3 is gone"), "chain"),
        (hash_altered, "chain"),
        (orders_of_another_replayed, "replay"),
    ],
)
def test_each_damage_is_reported_as_its_violation(played: SimHistory, damage: Damage, broken: str) -> None:
    assert broken in promises(damage(played))


def test_a_lost_or_altered_order_is_a_violation(played: SimHistory) -> None:
    note = played.log[1]
    assert promises(played, Acknowledged(note, "0")) == set()
    assert promises(played, Acknowledged("9999999999999-0", "")) == {"lost"}
    assert promises(played, Acknowledged(note, "something else")) == {"order"}


def test_a_changed_hash_of_an_observed_tick_is_a_violation(played: SimHistory) -> None:
    assert promises(played, observed=ObservedHashes({3: "another"})) == {"witness"}
    assert promises(played, observed=ObservedHashes(rewound=1)) == {"witness"}


def test_a_takeover_ends_with_the_first_tick_of_the_next_epoch(played: SimHistory) -> None:
    ticks = [
        replace(tick, at_ms=1000 * tick.tick, epoch=1 if tick.tick < 4 else 2) for tick in played.ticks
    ]  # fmt: skip
    sim = replace(played, ticks=ticks)
    ended = [EndedHolder("default", WORKER_KILLED, 3100), EndedHolder("default", WORKER_KILLED, 6500)]
    worker_takeovers = takeovers([sim], ended)[WORKER_KILLED]
    assert (worker_takeovers.ms, worker_takeovers.median, worker_takeovers.p99) == ((900,), 900, 900)
