"""Data in Redis that no worker wrote: readers stop with a clear error, and other sims stay readable."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_stream, read_string
from sector.models import SimConfig
from sector.models.mapfile import MapFile, MapSystem
from sector.state.errors import HeadError, HistoryBroken, HistoryGone, RequestError, SimImpossible, StateError
from sector.state.history import history
from sector.state.history.outcomes import outcome
from sector.state.keys import SIMS, SimKeys
from sector.state.sims import lifecycle, requests
from sector.state.sims.requests import SimRequest
from sector.state.watch.reader import SimReader
from sector.world import SectorWorld

KEYS = SimKeys("default")
FAR = 2**53 - 10
SPLIT = MapFile(
    systems=tuple(MapSystem(id=f"S{n}", name=f"{n}", x=n, y=0, growth=1, supply_yield=1, ships=1) for n in range(2)),
    homes=("S0",),
)


async def copy_entry(redis: Redis, entry_id: str, **changes: str) -> None:
    """Add an entry to the event stream that is like that of tick 1."""
    (_, fields), *_ = await read_stream(redis, KEYS.events)
    changed: dict[Any, Any] = fields | {name.encode(): value.encode() for name, value in changes.items()}
    await redis.xadd(KEYS.events, changed, entry_id)


async def follow(redis: Redis, after: int) -> None:
    """Follow the sim until it ends."""
    async for _ in SimReader(redis, "default").follow(after):
        pass


async def test_a_head_far_beyond_its_snapshot_does_not_cause_an_endless_loop(sim: Sim, redis: Redis) -> None:
    """Redis returns the same page again if the requested ticks precede it."""
    await sim.tick()
    for number in range(9):
        await copy_entry(redis, f"{FAR + number}-0")
    await redis.hset(KEYS.head, mapping={"tick": FAR + 8, "hash": "0" * 32, "commit": "other"})
    async with asyncio.timeout(20):
        with pytest.raises(HistoryGone, match="tick 2 of"):
            await SimReader(redis, "default").view()
        with pytest.raises(StateError):
            await sim.ticker.tick()
        with pytest.raises(HistoryGone, match="tick 2 of"):
            await history.at_tick(redis, "default", FAR)
        with pytest.raises(HistoryGone, match="tick 2 of"):
            await follow(redis, 0)


async def test_a_second_entry_of_a_tick_is_an_error_for_all_readers(sim: Sim, redis: Redis) -> None:
    await sim.tick()
    for number in range(1, 120):
        await copy_entry(redis, f"1-{number}")
    async with asyncio.timeout(20):
        with pytest.raises(HistoryBroken, match="a second entry 1-1 has this tick"):
            await follow(redis, 1)
        with pytest.raises(HistoryBroken, match="a second entry"):
            await SimReader(redis, "default").events((0, 0), 1000)
        with pytest.raises(HistoryBroken, match="a second entry"):
            await history.ticks(redis, "default", 0, 9)


@pytest.mark.parametrize(
    ("field", "value"), [("at_ms", "soon"), ("cursor", "x"), ("hash", "\x1b[2J"), ("at_ms", "9" * 5000)]
)
async def test_an_entry_with_an_invalid_field_is_an_error_with_its_name(
    sim: Sim, redis: Redis, field: str, value: str
) -> None:
    await sim.tick()
    await copy_entry(redis, "2-0", **{field: value})
    with pytest.raises(HistoryBroken, match=f"at tick 2: its field {field} has the invalid value ") as raised:
        await SimReader(redis, "default").events((0, 0), 1000)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 200


async def test_an_entry_without_a_field_is_an_error_with_its_name(sim: Sim, redis: Redis) -> None:
    await sim.tick()
    await redis.xadd(KEYS.events, {"at_ms": "1"}, "2-0")
    for read in (SimReader(redis, "default").events((1, 0), 9), history.ticks(redis, "default", 1, 2)):
        with pytest.raises(HistoryBroken, match="its entry lacks the field cursor, delta, events, hash"):
            await read


async def test_a_keyframe_of_another_tick_is_an_error(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=7)
    await redis.hset(KEYS.keyframes, "5", await redis.hget(KEYS.keyframes, "0"))
    with pytest.raises(HistoryBroken, match="at tick 5: its keyframe has tick 0"):
        await history.at_tick(redis, "default", 6)


@pytest.mark.parametrize("field", ["tick", "cursor", "epoch", "at_ms", "applied", "tick_length_ms"])
async def test_an_invalid_head_is_an_error_and_does_not_hide_other_sims(sim: Sim, redis: Redis, field: str) -> None:
    await lifecycle.create(redis, "other", SectorWorld(), CONFIG)
    await redis.hset(KEYS.head, field, "x")
    await redis.set(SimKeys("third").head, "of another type")
    for read in (SimReader(redis, "default").view(), sim.ticker.tick(), history.get_range(redis, "default")):
        with pytest.raises(HeadError, match=f"field {field} has the invalid value 'x'"):
            await read
    bad, good, of_another_type = await lifecycle.load_heads(redis, ["default", "other", "third"])
    assert (bad, of_another_type) == (None, None)
    assert good is not None
    assert good.tick == 0


async def test_an_invalid_cursor_gives_no_outcome(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=6)
    await redis.xadd(KEYS.orders, {"a": "b"}, "7-0")
    await redis.hset(KEYS.keyframes, "0:cursor", "x")
    await redis.hset(KEYS.head, "cursor", "9-9")
    with pytest.raises(HistoryBroken, match="its cursor has the invalid value 'x'"):
        await outcome(redis, "default", "7-0")


async def test_an_invalid_id_is_not_listed(sim: Sim, redis: Redis) -> None:
    assert sim.lease.epoch == 1
    await redis.sadd(SIMS, b"\xff\xfe", "../other", "A", "x" * 64, "a b", "\x1b[2J")
    assert await lifecycle.list_ids(redis) == ["default"]


async def test_the_request_has_the_reason_why_a_sim_cannot_be_created(redis: Redis) -> None:
    config = SimConfig(map=SPLIT, puppets=())
    with pytest.raises(SimImpossible, match="sim 'named' cannot be created: .*no lanes join S1 to S0"):
        await lifecycle.create(redis, "named", SectorWorld(), config)
    await requests.request_sim(redis, "asked", SimRequest(config=config))
    status = await requests.reconcile(redis, "asked", SectorWorld())
    assert "no lanes join S1 to S0" in str(status)
    wish = await requests.get_request(redis, "asked")
    assert wish is not None
    assert "no lanes join S1 to S0" in str(wish.fault)
    assert await lifecycle.list_ids(redis) == []


class RefusingWorld(SectorWorld):
    """A world that cannot be created, for a reason that clients must not see."""

    def create(self, config: SimConfig) -> tuple[bytes, bytes]:
        raise ValueError("cannot read /etc/world")


async def test_the_text_of_another_value_error_is_only_logged(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    await requests.request_sim(redis, "asked", SimRequest(config=SimConfig()))
    await requests.reconcile(redis, "asked", RefusingWorld())
    request = await requests.get_request(redis, "asked")
    assert request is not None
    assert request.fault == "sim 'asked' cannot be created: the world rejected its config"
    assert [getattr(record, "error", "") for record in caplog.records] == ["cannot read /etc/world"]


@pytest.mark.parametrize("request_text", ["garbage", '{"config": {"systems": -1}}', "[]"])
async def test_an_invalid_request_is_an_error_with_its_sim(redis: Redis, request_text: str) -> None:
    await redis.set(SimKeys("asked").request, request_text)
    with pytest.raises(RequestError, match="sim 'asked'"):
        await requests.reconcile(redis, "asked", SectorWorld())
    with pytest.raises(RequestError, match="sim 'asked'"):
        await requests.request_sim(redis, "asked", SimRequest())
    assert await read_string(redis, SimKeys("asked").request) == request_text.encode()
