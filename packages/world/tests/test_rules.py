"""The rules, as docs/rules.md states them."""

import pytest
from boards import BLUE, NOBODY, RED, after, happened, row, without_growth

from sector.models import AddFleet, Join, LoggedOrder, MoveFleet, Note, Order, RejectReason, SetOwner
from sector.models.events import Battle, Event, FleetArrived, FleetDeparted, Force, OrderRejected, SystemCaptured
from sector.models.names import MAX_SHIPS
from sector.world.tick import advance


def reasons(events: list[Event]) -> list[RejectReason]:
    return [event.reason for event in events if isinstance(event, OrderRejected)]


def test_an_owned_system_grows_ships_and_supply_and_a_neutral_one_nothing() -> None:
    state, _ = after(row((RED, 10), (NOBODY, 10), (BLUE, 10)))
    assert state.ships.tolist() == [11, 10, 11]
    assert state.factions.supply.tolist() == [102, 102]


def test_a_garrison_stops_growing_at_the_most() -> None:
    state, _ = after(row((RED, MAX_SHIPS), (BLUE, 1)))
    assert state.ships[0] == MAX_SHIPS


def test_join_gives_the_next_free_home_and_starting_supply() -> None:
    state, events = after(row((RED, 5), (BLUE, 5), (NOBODY, 40), start_supply=7), Join(faction="Green"))
    assert state.owner.tolist() == [RED, BLUE, 2]
    assert (state.ships[2], state.factions.supply[2]) == (41, 7 + 2)
    assert events[0].model_dump(exclude={"tick", "type"}) == {"order": "1-0", "faction": "Green", "system": "S2"}


def test_join_is_rejected_when_in_already_or_full() -> None:
    _, events = after(row((RED, 5), (BLUE, 5)), Join(faction="Red"), Join(faction="Green"))
    assert reasons(events) == [RejectReason.ALREADY_JOINED, RejectReason.NO_HOME_LEFT]


def test_a_fleet_leaves_at_once_and_arrives_after_the_length_of_its_lane() -> None:
    board = without_growth(row((RED, 10), (RED, 1), (BLUE, 1)))
    move = MoveFleet(faction="Red", system="S0", target="S1", ships=4)
    state, events = after(board, move)
    assert state.ships.tolist() == [6, 1, 1]
    departed = events[0]
    assert isinstance(departed, FleetDeparted)
    assert (departed.fleet, departed.arrives, departed.order) == ("F0", 3, "1-0")
    state, events = after(state)
    assert not events
    state, events = after(state)
    assert [type(event) for event in events] == [FleetArrived]
    assert state.ships.tolist() == [6, 5, 1]
    assert len(state.fleets.id) == 0


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (MoveFleet(faction="Red", system="S0", target="S1", ships=11), RejectReason.NOT_ENOUGH_SHIPS),
        (MoveFleet(faction="Red", system="S0", target="S2", ships=1), RejectReason.NO_LANE),
        (MoveFleet(faction="Red", system="S0", target="S0", ships=1), RejectReason.NO_LANE),
        (MoveFleet(faction="Red", system="S2", target="S1", ships=1), RejectReason.NOT_OWNER),
        (MoveFleet(faction="Red", system="S1", target="S0", ships=1), RejectReason.NOT_OWNER),
        (MoveFleet(faction="Red", system="S0", target="S9", ships=1), RejectReason.UNKNOWN_SYSTEM),
        (MoveFleet(faction="Grey", system="S0", target="S1", ships=1), RejectReason.UNKNOWN_FACTION),
        (AddFleet(faction="Red", system="S2", ships=1), RejectReason.NOT_OWNER),
        (AddFleet(faction="Red", system="S0", ships=51), RejectReason.NOT_ENOUGH_SUPPLY),
        (SetOwner(faction="Red", system="S2"), RejectReason.NOT_NEUTRAL),
        (SetOwner(faction="Red", system="S3"), RejectReason.NOT_ADJACENT),
        (SetOwner(faction="Blue", system="S1"), RejectReason.NOT_ENOUGH_SUPPLY),
        (SetOwner(faction=None, system="S0"), RejectReason.ADMIN_ONLY),
        (Note(faction="Grey", text="hello"), RejectReason.UNKNOWN_FACTION),
        (Note(faction="Red", text="hello", system="S9"), RejectReason.UNKNOWN_SYSTEM),
    ],
)
def test_an_order_that_breaks_a_rule_changes_nothing_and_says_why(order: Order, reason: RejectReason) -> None:
    board = row((RED, 10), (NOBODY, 90), (BLUE, 5), (NOBODY, 1), (NOBODY, 1), claim_base=20)
    with_order, events = after(board, order)
    without, _ = after(board)
    assert reasons(events) == [reason]
    assert with_order.owner.tolist() == without.owner.tolist()
    assert with_order.ships.tolist() == without.ships.tolist()
    assert with_order.factions.supply.tolist() == without.factions.supply.tolist()


def test_orders_are_applied_in_log_order_each_against_what_the_one_before_it_left() -> None:
    one, other = (MoveFleet(faction="Red", system="S0", target="S1", ships=ships) for ships in (7, 4))
    _, events = after(row((RED, 10), (BLUE, 1)), one, other)
    assert reasons(events) == [RejectReason.NOT_ENOUGH_SHIPS]
    _, events = after(row((RED, 10), (BLUE, 1)), other, one)
    assert [event.ships for event in events if isinstance(event, FleetDeparted)] == [4]


def test_mustering_costs_supply_and_joins_the_garrison() -> None:
    state, _ = after(row((RED, 10), (BLUE, 1), muster_cost=3), AddFleet(faction="Red", system="S0", ships=20))
    assert state.ships[0] == 31
    assert state.factions.supply[0] == 100 - 60 + 2


def test_a_claim_costs_by_the_garrison_which_changes_sides() -> None:
    state, _ = after(
        row((RED, 10), (NOBODY, 30), (BLUE, 1), claim_base=20, claim_per_ship=2), SetOwner(faction="Red", system="S1")
    )
    assert state.owner[1] == RED
    assert state.ships[1] == 31
    assert state.factions.supply[0] == 100 - (20 + 60) + 4


def test_admin_orders_skip_ownership_and_cost() -> None:
    board = row((RED, 10), (BLUE, 5), (NOBODY, 5), supply=0)
    state, events = after(
        board,
        SetOwner(faction="Red", system="S1"),
        SetOwner(faction=None, system="S0"),
        AddFleet(faction="Red", system="S1", ships=100),
        AddFleet(faction="Red", system="S2", ships=100),
        admin=True,
    )
    assert reasons(events) == [RejectReason.NOT_OWNER]
    assert state.owner.tolist() == [NOBODY, RED, NOBODY]
    assert state.ships.tolist() == [10, 106, 5]


def test_a_body_that_is_no_order_is_rejected_as_malformed() -> None:
    nonsense = [LoggedOrder("1-0", "x", False, b"\xff{")]
    events = happened(advance(row((RED, 1), (BLUE, 1)), nonsense), nonsense)
    assert reasons(events) == [RejectReason.MALFORMED]


@pytest.mark.parametrize(
    ("garrison", "attack", "owner", "left"),
    [
        ((BLUE, 5), 8, RED, 3),
        ((BLUE, 8), 5, BLUE, 3),
        ((BLUE, 5), 5, BLUE, 0),
        ((NOBODY, 5), 9, RED, 4),
        ((NOBODY, 0), 1, RED, 1),
    ],
)
def test_the_largest_force_wins_and_keeps_what_it_exceeds_the_second_by(
    garrison: tuple[int, int], attack: int, owner: int, left: int
) -> None:
    board = without_growth(row((RED, 20), garrison, (BLUE, 1)))
    state, _ = after(board, MoveFleet(faction="Red", system="S0", target="S1", ships=attack), ticks=3)
    assert (state.owner[1], state.ships[1]) == (owner, left)


def test_three_forces_meet_at_once() -> None:
    board = without_growth(row((RED, 20), (NOBODY, 6), (BLUE, 20)))
    moves = (
        MoveFleet(faction="Red", system="S0", target="S1", ships=9),
        MoveFleet(faction="Blue", system="S2", target="S1", ships=4),
        MoveFleet(faction="Red", system="S0", target="S1", ships=2),
    )
    state, events = after(board, *moves, ticks=3)
    assert (state.owner[1], state.ships[1]) == (RED, 11 - 6)
    battle = next(event for event in events if isinstance(event, Battle))
    assert (battle.forces, battle.winner) == (
        (Force(faction=None, ships=6), Force(faction="Red", ships=11), Force(faction="Blue", ships=4)),
        "Red",
    )
    captured = next(event for event in events if isinstance(event, SystemCaptured))
    assert (captured.loser, captured.faction) == (None, "Red")


def test_who_has_neither_system_nor_fleet_is_out_and_the_last_one_in_wins() -> None:
    board = without_growth(row((RED, 20), (BLUE, 1)))
    state, events = after(board, MoveFleet(faction="Red", system="S0", target="S1", ships=5), ticks=3)
    assert state.factions.alive.tolist() == [True, False]
    assert (state.status, state.winner) == ("finished", RED)
    assert [event.type for event in events[-2:]] == ["faction_eliminated", "sim_finished"]
    with pytest.raises(ValueError, match="finished at tick 3"):
        advance(state, [])


def test_a_faction_with_only_a_fleet_is_still_in() -> None:
    board = without_growth(row((RED, 20), (BLUE, 5), (NOBODY, 1)))
    flee = MoveFleet(faction="Blue", system="S1", target="S2", ships=5)
    state, _ = after(board, flee, SetOwner(faction=None, system="S1"), admin=True)
    assert state.factions.alive.tolist() == [True, True]
    assert state.status == "running"


@pytest.mark.parametrize(("red", "winner"), [(9, RED), (5, -1), (1, BLUE)])
def test_at_max_ticks_the_most_ships_win_and_a_tie_is_a_draw(red: int, winner: int) -> None:
    board = without_growth(row((RED, red), (BLUE, 5), max_ticks=2))
    state, _ = after(board, ticks=2)
    assert (state.status, state.winner) == ("finished", winner)


def test_an_eliminated_faction_cannot_order_nor_join_again() -> None:
    board = without_growth(row((RED, 20), (BLUE, 1), (NOBODY, 1), max_ticks=9))
    state, _ = after(board, SetOwner(faction=None, system="S1"), Join(faction="Green"), admin=True)
    _, events = after(state, Join(faction="Blue"), Note(faction="Blue", text="still here"))
    assert reasons(events) == [RejectReason.ELIMINATED, RejectReason.ELIMINATED]


def test_where_travel_is_direct_a_fleet_goes_anywhere_by_distance() -> None:
    state, events = after(
        row((RED, 5), (NOBODY, 1), (BLUE, 1), travel="direct"),
        MoveFleet(faction="Red", system="S0", target="S2", ships=1),
    )
    assert isinstance(events[0], FleetDeparted)
    assert events[0].arrives == 6
    assert state.fleets.target.tolist() == [2]
