"""Determinism: equal configs and orders give equal bytes."""

import subprocess
import sys

from boards import log_orders, make_board
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.long import max_examples
from fixtures.processes import environment
from sector.models import ORDER, AddFleet, Join, LoggedOrder, MoveFleet, Note, Order, Puppet, SetOwner, SimConfig
from sector.models.delta import apply_delta
from sector.models.field_types import MAX_SHIPS
from sector.models.frame import Frame, decode, digest, encode
from sector.models.rows import event_rows
from sector.world import Position, SectorWorld
from sector.world.codec import snapshot_frame

CONFIG = SimConfig(seed=8, systems=20, homes=4, puppets=(Puppet(faction="Crimson"), Puppet(faction="Azure")))
WORLD = SectorWorld()

_systems = st.integers(0, 21).map(lambda n: f"S{n}")
_factions = st.sampled_from(["Crimson", "Azure", "Me", "You", "Ghost"])
_ships = st.integers(1, 60) | st.just(MAX_SHIPS)
orders: st.SearchStrategy[Order] = st.one_of(
    st.builds(Join, faction=_factions),
    st.builds(SetOwner, faction=_factions | st.none(), system=_systems),
    st.builds(AddFleet, faction=_factions, system=_systems, ships=_ships),
    st.builds(MoveFleet, faction=_factions, system=_systems, target=_systems, ships=_ships),
    st.builds(Note, faction=_factions, text=st.text(min_size=1, max_size=9), system=_systems | st.none()),
)
batches = st.lists(st.lists(st.tuples(orders, st.booleans()), max_size=6), min_size=1, max_size=12)


def first_position() -> Position:
    return WORLD.load(CONFIG, *WORLD.create(CONFIG))


def log_batch(batch: list[tuple[Order, bool]], tick: int) -> list[LoggedOrder]:
    return [LoggedOrder(f"{tick}-{n}", "x", admin, ORDER.dump_json(order)) for n, (order, admin) in enumerate(batch)]


@settings(max_examples=max_examples(60), deadline=None)
@given(batches)
def test_columns_stay_valid_for_any_orders(all_orders: list[list[tuple[Order, bool]]]) -> None:
    position = first_position()
    for tick, batch in enumerate(all_orders, 1):
        step = WORLD.advance(position, log_batch(batch, tick))
        state = step.state.state
        assert state.tick == tick
        assert state.ships.min() >= 0
        assert state.ships.max() <= MAX_SHIPS
        assert state.factions.supply.min() >= 0
        assert (state.fleets.ships > 0).all()
        assert (state.fleets.arrives > tick).all()
        assert -1 <= state.owner.min() <= state.owner.max() < len(state.factions.ids)
        rows = event_rows(decode(step.events))
        assert [row["order"] for row in rows if row.get("order")] == [order.id for order in log_batch(batch, tick)]
        position = step.state
        if step.finished:
            break


@settings(max_examples=max_examples(40), deadline=None)
@given(batches)
def test_keyframe_and_deltas_give_the_same_state_as_the_rules(all_orders: list[list[tuple[Order, bool]]]) -> None:
    position, parent = first_position(), first_position().digest
    frame: Frame = position.frame
    for tick, batch in enumerate(all_orders, 1):
        step = WORLD.advance(position, log_batch(batch, tick))
        frame = apply_delta(frame, decode(step.delta))
        assert encode(frame) == step.snapshot
        assert decode(step.snapshot).meta["parent"] == parent
        # A worker that takes over has only the bytes. It must compute the same bytes.
        reloaded = WORLD.load(CONFIG, WORLD.create(CONFIG)[0], encode(position.frame))
        assert WORLD.advance(reloaded, log_batch(batch, tick)).snapshot == step.snapshot
        position, parent = step.state, digest(step.snapshot)
        if step.finished:
            break


def test_narrow_columns_of_thousands_of_rows_give_the_same_state() -> None:
    """A fleet from each of 2,000 systems to the next.

    Long columns have the smallest dtype, and readers see the same values.
    """
    state = make_board(*[(0, 300)] * 1_999, (1, 300), max_ticks=0)
    moves = [MoveFleet(faction="Red", system=f"S{n}", target=f"S{n + 1}", ships=1 + n % 200) for n in range(1_999)]
    frame = snapshot_frame(state, parent="")
    position = Position(state, frame, digest(encode(frame)))
    steps = [WORLD.advance(position, log_orders(*moves))]
    for _ in range(3):
        steps.append(WORLD.advance(steps[-1].state, []))
    for step in steps:
        frame = apply_delta(frame, decode(step.delta))
        assert encode(frame) == step.snapshot
    assert decode(steps[0].delta).tables["systems.changed"].columns.keys() == {"ships"}
    departed = decode(steps[0].events).tables["fleet_departed"]
    assert "n" not in departed.columns
    assert {departed.columns[name].typecode for name in ("ships", "system", "fleet")} == {"h"}
    assert departed.columns["faction"].typecode == "b"
    arrived = [event for event in event_rows(decode(steps[2].events)) if event["type"] == "fleet_arrived"]
    assert [(event["fleet"], event["system"], event["ships"]) for event in arrived] == [
        (f"F{n}", f"S{n + 1}", 1 + n % 200) for n in range(1_999)
    ]
    assert decode(steps[2].delta).tables["fleets.removed"].columns["id"].typecode == "h"


def play(ticks: int) -> str:
    """Return the state hash after `ticks` of a game with two players and two puppets."""
    position = first_position()
    for tick in range(1, ticks + 1):
        batch: list[tuple[Order, bool]] = []
        if tick == 1:
            batch = [(Join(faction="Me"), False), (Join(faction="You"), False)]
        elif tick % 7 == 0:
            batch = [(AddFleet(faction="Me", system=f"S{position.state.factions.home[2]}", ships=3), False)]
        step = WORLD.advance(position, log_batch(batch, tick))
        position = step.state
    return position.digest


def test_a_process_with_another_hash_seed_computes_the_same_hash() -> None:
    script = "import test_determinism; print(test_determinism.play(60))"
    hashes = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=environment(PYTHONHASHSEED=seed),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "4242")
    }
    assert hashes == {play(60)}
    # The hash changes only with the rules, the puppets or the format of snapshots, and is the same on every machine.
    assert play(60) == "2387b69dc2d9137c6eee50fa1564273c"
