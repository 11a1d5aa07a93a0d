"""Landing fleets: some on the way and some just launched, with any number of systems and owners."""

from collections import defaultdict
from copy import replace

import numpy as np
import pytest
from boards import BLUE, NO_OWNER, RED, advance_ticks, make_board, without_growth
from hypothesis import given, settings
from hypothesis import strategies as st

from sector.models import MoveFleet
from sector.models.events import Battle, FleetArrived, Force
from sector.world.arrival import _forces, _LandedFleets
from sector.world.state import FLEET_DTYPES, Fleets, WorldState
from sector.world.tick import advance


def with_landing_fleets(board: WorldState, *fleets: tuple[int, int, int]) -> WorldState:
    """Return the board with fleets (owner, target, ships) that land in the next tick."""
    rows = [(number, owner, 0, target, ships, -2, 1) for number, (owner, target, ships) in enumerate(fleets)]
    columns = zip(zip(*rows, strict=True), FLEET_DTYPES.values(), strict=True)
    return replace(board, fleets=Fleets(*(np.array(column, dtype) for column, dtype in columns)), next_fleet=len(rows))


def test_earlier_fleets_and_launched_ones_land_together() -> None:
    board = without_growth(make_board((RED, 10), (NO_OWNER, 6), (BLUE, 9)))
    board = replace(board, galaxy=replace(board.galaxy, lane_length=np.array([1, 1], np.int32)))
    board = with_landing_fleets(board, (RED, 1, 5), (RED, 0, 2))
    state, events = advance_ticks(board, MoveFleet(faction="Red", system="S0", target="S1", ships=4))
    arrived = [event for event in events if isinstance(event, FleetArrived)]
    assert [(event.fleet, event.system, event.ships) for event in arrived] == [
        ("F0", "S1", 5),
        ("F1", "S0", 2),
        ("F2", "S1", 4),
    ]
    assert (state.owner.tolist(), state.ships.tolist()) == ([RED, RED, BLUE], [8, 3, 9])
    assert len(state.fleets.id) == 0


def test_ids_of_landed_fleets_are_reported_even_if_there_are_none() -> None:
    board = without_growth(make_board((RED, 10), (NO_OWNER, 6), (BLUE, 9)))
    assert advance(board, []).landed.tolist() == []
    assert advance(with_landing_fleets(board, (RED, 1, 5), (BLUE, 0, 2)), []).landed.tolist() == [0, 1]


@pytest.mark.parametrize(("attack", "winner"), [(6, None), (7, "Red")])
def test_the_larger_force_wins_a_battle(attack: int, winner: str | None) -> None:
    board = without_growth(make_board((RED, 10), (NO_OWNER, 6), (BLUE, 9)))
    _, events = advance_ticks(with_landing_fleets(board, (RED, 1, attack)))
    (battle,) = (event for event in events if isinstance(event, Battle))
    assert (battle.winner, battle.ships) == (winner, attack - 6)


def test_a_garrison_without_ships_is_no_force() -> None:
    board = without_growth(make_board((RED, 10), (NO_OWNER, 0), (BLUE, 9)))
    _, events = advance_ticks(with_landing_fleets(board, (RED, 1, 4), (BLUE, 1, 3)))
    (battle,) = (event for event in events if isinstance(event, Battle))
    assert battle.forces == (Force(faction="Red", ships=4), Force(faction="Blue", ships=3))


# 100,000 systems and up to 40 owners: sums are sorted by two digits of 16 bits.
_SYSTEMS = 100_000
_places = st.sampled_from([0, 1, 1_700, 21_845, 21_846, 43_690, 65_535, 65_536, 99_999]) | st.integers(0, _SYSTEMS - 1)


@settings(deadline=None)
@given(st.lists(st.tuples(_places, st.integers(0, 2) | st.integers(0, 39), st.integers(1, 9)), min_size=1, max_size=40))
def test_forces_are_summed_on_maps_of_any_size(fleets: list[tuple[int, int, int]]) -> None:
    owner, ships = np.full(_SYSTEMS, NO_OWNER, np.int16), np.full(_SYSTEMS, 3, np.int64)
    owner[::2] = 1
    target, whose, count = zip(*fleets, strict=True)
    landed = _LandedFleets(
        np.arange(len(fleets)), np.array(whose, np.int16), np.array(target, np.int32), np.array(count, np.int64)
    )
    expected: dict[tuple[int, int], int] = defaultdict(int)
    for system, faction, number in fleets:
        expected[system, faction] += number
    for system in set(target):
        expected[system, int(owner[system])] += 3
    sums = zip(*(column.tolist() for column in _forces(landed, owner, ships)), strict=True)
    assert [((system, faction), number) for system, faction, number in sums] == sorted(expected.items())
