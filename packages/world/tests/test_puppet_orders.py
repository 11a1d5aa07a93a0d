"""The rules apply the plans of puppets, and skip what an order of the same tick made impossible."""

from copy import replace

import numpy as np
import pytest
from boards import BLUE, NO_OWNER, RED, log_orders, make_board, tick_events, without_growth
from numpy.typing import NDArray

from sector.models import MoveFleet, Order, Puppet, SetOwner
from sector.models.events import Event, FleetDeparted, ShipsMustered
from sector.models.field_types import MAX_SHIPS
from sector.puppet import PuppetOrders
from sector.world import puppets
from sector.world.state import WorldState
from sector.world.tick import advance

FROM_0_TO_1, FROM_1_TO_0, FROM_1_TO_2 = range(3)
"""Arcs of a row of systems, by source and target."""


def board(*systems: tuple[int, int], supply: int = 100) -> WorldState:
    """Return a board without growth on which Red is a puppet."""
    state = without_growth(make_board(*systems, puppets=(Puppet(faction="Red"),), supply=supply))
    return replace(state, factions=replace(state.factions, puppet=np.array([True, False])))


def play(
    state: WorldState,
    *orders: Order,
    claims: tuple[int, ...] = (),
    musters: tuple[tuple[int, int], ...] = (),
    moves: tuple[tuple[int, int], ...] = (),
) -> tuple[WorldState, list[Event]]:
    """Return the next state and its events.

    Red plans these claims (system), musters (system, ships) and moves (arc, ships).
    """

    def column(values: list[int]) -> NDArray[np.int64]:
        return np.array(values, np.int64)

    plan_orders = PuppetOrders(
        claim_system=column(list(claims)),
        claim_faction=column([RED] * len(claims)),
        muster_system=column([system for system, _ in musters]),
        muster_faction=column([RED] * len(musters)),
        muster_ships=column([ships for _, ships in musters]),
        move_arc=column([arc for arc, _ in moves]),
        move_ships=column([ships for _, ships in moves]),
    )
    logged = log_orders(*orders, admin=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(puppets, "plan_orders", lambda view: plan_orders)
        tick = advance(state, logged)
    return tick.state, tick_events(tick, logged)


@pytest.mark.parametrize(
    ("garrison", "supply", "planned", "mustered"),
    [(10, 100, 7, 7), (10, 9, 7, 4), (10, 2, 7, 1), (10, 1, 7, 0), (MAX_SHIPS - 3, 100, 7, 3), (MAX_SHIPS, 100, 7, 0)],
)
def test_a_muster_is_as_large_as_supply_and_garrison_allow(
    garrison: int, supply: int, planned: int, mustered: int
) -> None:
    state, events = play(board((RED, garrison), (BLUE, 5), supply=supply), musters=((0, planned),))
    assert [event.ships for event in events if isinstance(event, ShipsMustered)] == [mustered] * bool(mustered)
    assert (state.ships[0], state.factions.supply[0]) == (garrison + mustered, supply - 2 * mustered + 2)


def test_a_muster_costs_as_much_as_the_config_says() -> None:
    state = board((RED, 10), (BLUE, 5), supply=7)
    state, _ = play(replace(state, config=state.config.model_copy(update={"muster_cost": 1})), musters=((0, 9),))
    assert (state.ships[0], state.factions.supply[0]) == (17, 2)


def test_a_system_that_was_lost_in_the_same_tick_is_skipped() -> None:
    lost = SetOwner(faction=None, system="S0")
    state, events = play(board((RED, 9), (RED, 4), (BLUE, 5)), lost, musters=((0, 3),), moves=((FROM_0_TO_1, 2),))
    assert [event.type for event in events] == ["system_claimed"]
    assert state.ships.tolist() == [9, 4, 5]


@pytest.mark.parametrize(
    ("moves", "sent"),
    [
        (((FROM_0_TO_1, 3),), [3]),
        (((FROM_0_TO_1, 4),), []),  # an order took the ships
        (((FROM_0_TO_1, 1), (FROM_1_TO_0, 0)), [1]),
        (((FROM_1_TO_0, 2), (FROM_1_TO_2, 2)), [2, 2]),
        (((FROM_1_TO_0, 2), (FROM_1_TO_2, 3)), []),  # both leave one garrison
    ],
)
def test_fleets_depart_while_the_garrison_suffices_for_all_of_them(
    moves: tuple[tuple[int, int], ...], sent: list[int]
) -> None:
    order = MoveFleet(faction="Red", system="S0", target="S1", ships=7)
    _, events = play(board((RED, 10), (RED, 4), (BLUE, 5)), order, moves=moves)
    assert [event.ships for event in events if isinstance(event, FleetDeparted)] == [7, *sent]


def test_events_have_the_order_of_the_phases() -> None:
    state = board((RED, 30), (RED, 5), (NO_OWNER, 1), (BLUE, 5))
    near = replace(state.galaxy, lane_length=np.ones(3, np.int32))
    state, events = play(
        replace(state, galaxy=near), claims=(2,), musters=((0, 2),), moves=((FROM_0_TO_1, 3), (FROM_1_TO_0, 4))
    )
    kinds = ["system_claimed", "ships_mustered", *["fleet_departed"] * 2, *["fleet_arrived"] * 2]
    assert [event.type for event in events] == kinds
