"""The rules of docs/reference/rules.md."""

from copy import replace

import numpy as np
import pytest
from boards import BLUE, NO_OWNER, RED, advance_ticks, log_orders, make_board, tick_events, without_growth

from sector.models import ORDER, AddFleet, Join, LoggedOrder, MoveFleet, Note, Order, RejectReason, SetOwner, SimConfig
from sector.models.events import Battle, Event, FleetArrived, FleetDeparted, Force, OrderRejected, SystemCaptured
from sector.models.field_types import MAX_SHIPS
from sector.world import bulk
from sector.world import orders as one_by_one
from sector.world.record import Record
from sector.world.sector import initial_state
from sector.world.state import FLEET_DTYPES
from sector.world.tick import advance
from sector.world.victory import LAST_TICK, judge


def reasons(events: list[Event]) -> list[RejectReason]:
    return [event.reason for event in events if isinstance(event, OrderRejected)]


def test_only_owned_systems_grow_ships_and_supply() -> None:
    state, _ = advance_ticks(make_board((RED, 10), (NO_OWNER, 10), (BLUE, 10)))
    assert state.ships.tolist() == [11, 10, 11]
    assert state.factions.supply.tolist() == [102, 102]


def test_a_garrison_stops_growing_at_the_maximum() -> None:
    state, _ = advance_ticks(make_board((RED, MAX_SHIPS), (BLUE, 1)))
    assert state.ships[0] == MAX_SHIPS


def test_join_gives_the_next_free_home_and_starting_supply() -> None:
    state, events = advance_ticks(
        make_board((RED, 5), (BLUE, 5), (NO_OWNER, 40), start_supply=7), Join(faction="Green")
    )
    assert state.owner.tolist() == [RED, BLUE, 2]
    assert (state.ships[2], state.factions.supply[2]) == (41, 7 + 2)
    assert events[0].model_dump(exclude={"tick", "type"}, exclude_none=True) == {
        "order": "1-0",
        "faction": "Green",
        "system": "S2",
    }


def test_join_is_rejected_twice_and_without_a_free_home() -> None:
    _, events = advance_ticks(make_board((RED, 5), (BLUE, 5)), Join(faction="Red"), Join(faction="Green"))
    assert reasons(events) == [RejectReason.ALREADY_JOINED, RejectReason.NO_HOME_LEFT]


def test_a_fleet_departs_at_once_and_arrives_after_the_length_of_its_lane() -> None:
    board = without_growth(make_board((RED, 10), (RED, 1), (BLUE, 1)))
    move = MoveFleet(faction="Red", system="S0", target="S1", ships=4)
    state, events = advance_ticks(board, move)
    assert state.ships.tolist() == [6, 1, 1]
    departed = events[0]
    assert isinstance(departed, FleetDeparted)
    assert (departed.fleet, departed.arrives, departed.order) == ("F0", 3, "1-0")
    state, events = advance_ticks(state)
    assert not events
    state, events = advance_ticks(state)
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
def test_an_order_that_breaks_a_rule_is_rejected_without_an_effect(order: Order, reason: RejectReason) -> None:
    board = make_board((RED, 10), (NO_OWNER, 90), (BLUE, 5), (NO_OWNER, 1), (NO_OWNER, 1), claim_base=20)
    with_order, events = advance_ticks(board, order)
    without, _ = advance_ticks(board)
    assert reasons(events) == [reason]
    assert with_order.owner.tolist() == without.owner.tolist()
    assert with_order.ships.tolist() == without.ships.tolist()
    assert with_order.factions.supply.tolist() == without.factions.supply.tolist()


@pytest.mark.parametrize(
    ("order", "admin", "detail"),
    [
        (Join(faction="Red"), False, "Red has already joined"),
        (Join(faction="Grey"), False, "every home system has an owner"),
        (Note(faction="Grey", text="hello"), False, "Grey has not joined"),
        (Note(faction="Red", text="hello", system="S9"), False, "S9 does not exist"),
        (SetOwner(faction=None, system="S0"), False, "only an admin makes a system neutral"),
        (SetOwner(faction="Red", system="S2"), False, "S2 has an owner"),
        (SetOwner(faction="Red", system="S3"), False, "no lane joins S3 to a system of Red"),
        (SetOwner(faction="Red", system="S1"), False, "the order costs 110 supply, and 100 is available"),
        (AddFleet(faction="Red", system="S2", ships=1), False, "S2 is not Red's"),
        (AddFleet(faction="Red", system="S1", ships=1), True, "S1 has no owner"),
        (MoveFleet(faction="Red", system="S2", target="S1", ships=1), False, "S2 is not Red's"),
        (MoveFleet(faction="Red", system="S0", target="S2", ships=1), False, "no lane leads from S0 to S2"),
        (MoveFleet(faction="Red", system="S0", target="S1", ships=11), False, "S0 has 10 ships"),
    ],
)
@pytest.mark.parametrize("times", [1, 30])
def test_the_detail_of_a_rejection_explains_it(order: Order, admin: bool, detail: str, times: int) -> None:
    board = make_board((RED, 10), (NO_OWNER, 90), (BLUE, 5), (NO_OWNER, 1), claim_base=20)
    board = replace(board, galaxy=replace(board.galaxy, home=np.array([0, 2], np.int32)))
    _, events = advance_ticks(board, *[order] * times, admin=admin)
    assert [event.detail for event in events if isinstance(event, OrderRejected)] == [detail] * times


def test_an_order_of_an_eliminated_faction_is_rejected_with_its_name() -> None:
    board = without_growth(make_board((RED, 20), (BLUE, 1), (NO_OWNER, 1), max_ticks=9))
    state, _ = advance_ticks(board, SetOwner(faction=None, system="S1"), Join(faction="Green"), admin=True)
    _, events = advance_ticks(state, Join(faction="Blue"), Note(faction="Blue", text="still here"))
    rejected = [event for event in events if isinstance(event, OrderRejected)]
    assert [(event.faction, event.detail) for event in rejected] == [("Blue", "Blue is eliminated")] * 2


def test_a_faction_that_joins_by_an_order_is_no_puppet() -> None:
    state, _ = advance_ticks(make_board((RED, 5), (BLUE, 5), (NO_OWNER, 40)), Join(faction="Green"))
    assert state.factions.puppet.tolist() == [False, False, False]
    assert state.factions.home.tolist() == [0, 0, 2]


@pytest.mark.parametrize("few", [0, 9])
@pytest.mark.parametrize("length", [1, 3])
def test_columns_have_their_dtypes_after_any_events(few: int, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot with a column of another dtype is rejected."""
    monkeypatch.setattr(bulk.apply_logged, "__defaults__", (few,))
    board = make_board((RED, 30), (NO_OWNER, 3), (BLUE, 5), (NO_OWNER, 9))
    board = replace(board, galaxy=replace(board.galaxy, lane_length=np.full(3, length, np.int32)))
    orders = (
        SetOwner(faction="Red", system="S1"),
        Join(faction="Green"),
        AddFleet(faction="Red", system="S0", ships=1),
        MoveFleet(faction="Red", system="S0", target="S1", ships=4),
        MoveFleet(faction="Blue", system="S2", target="S1", ships=4),
    )
    for ticks in range(1, 5):
        state, _ = advance_ticks(board, *orders, ticks=ticks)
        fleets = {name: getattr(state.fleets, name).dtype for name in FLEET_DTYPES}
        assert fleets == FLEET_DTYPES
        assert [column.dtype for column in (state.owner, state.ships)] == [np.int16, np.int64]
        factions = state.factions
        assert [column.dtype for column in factions[1:]] == [np.int64, np.bool_, np.bool_, np.int32]


def test_orders_are_applied_one_after_another_in_log_order() -> None:
    one, other = (MoveFleet(faction="Red", system="S0", target="S1", ships=ships) for ships in (7, 4))
    _, events = advance_ticks(make_board((RED, 10), (BLUE, 1)), one, other)
    assert reasons(events) == [RejectReason.NOT_ENOUGH_SHIPS]
    _, events = advance_ticks(make_board((RED, 10), (BLUE, 1)), other, one)
    assert [event.ships for event in events if isinstance(event, FleetDeparted)] == [4]


def test_a_muster_costs_supply_and_increases_the_garrison() -> None:
    state, _ = advance_ticks(
        make_board((RED, 10), (BLUE, 1), muster_cost=3), AddFleet(faction="Red", system="S0", ships=20)
    )
    assert state.ships[0] == 31
    assert state.factions.supply[0] == 100 - 60 + 2


def test_a_claim_costs_supply_per_ship_and_takes_over_the_garrison() -> None:
    state, _ = advance_ticks(
        make_board((RED, 10), (NO_OWNER, 30), (BLUE, 1), claim_base=20, claim_per_ship=2),
        SetOwner(faction="Red", system="S1"),
    )
    assert state.owner[1] == RED
    assert state.ships[1] == 31
    assert state.factions.supply[0] == 100 - (20 + 60) + 4


def test_orders_of_an_admin_skip_ownership_and_cost() -> None:
    board = make_board((RED, 10), (BLUE, 5), (NO_OWNER, 5), supply=0)
    state, events = advance_ticks(
        board,
        SetOwner(faction="Red", system="S1"),
        SetOwner(faction=None, system="S0"),
        AddFleet(faction="Red", system="S1", ships=100),
        AddFleet(faction="Red", system="S2", ships=100),
        admin=True,
    )
    assert reasons(events) == [RejectReason.NOT_OWNER]
    assert state.owner.tolist() == [NO_OWNER, RED, NO_OWNER]
    assert state.ships.tolist() == [10, 106, 5]


def test_an_invalid_body_is_rejected_as_malformed() -> None:
    nonsense = [LoggedOrder("1-0", "x", False, b"\xff{")]
    events = tick_events(advance(make_board((RED, 1), (BLUE, 1)), nonsense), nonsense)
    assert reasons(events) == [RejectReason.MALFORMED]


@pytest.mark.parametrize(
    ("garrison", "attack", "owner", "left"),
    [
        ((BLUE, 5), 8, RED, 3),
        ((BLUE, 8), 5, BLUE, 3),
        ((BLUE, 5), 5, BLUE, 0),
        ((NO_OWNER, 5), 9, RED, 4),
        ((NO_OWNER, 0), 1, RED, 1),
    ],
)
def test_the_largest_force_keeps_its_margin_over_the_second(
    garrison: tuple[int, int], attack: int, owner: int, left: int
) -> None:
    board = without_growth(make_board((RED, 20), garrison, (BLUE, 1)))
    state, _ = advance_ticks(board, MoveFleet(faction="Red", system="S0", target="S1", ships=attack), ticks=3)
    assert (state.owner[1], state.ships[1]) == (owner, left)


def test_three_forces_fight_together() -> None:
    board = without_growth(make_board((RED, 20), (NO_OWNER, 6), (BLUE, 20)))
    moves = (
        MoveFleet(faction="Red", system="S0", target="S1", ships=9),
        MoveFleet(faction="Blue", system="S2", target="S1", ships=4),
        MoveFleet(faction="Red", system="S0", target="S1", ships=2),
    )
    state, events = advance_ticks(board, *moves, ticks=3)
    assert (state.owner[1], state.ships[1]) == (RED, 11 - 6)
    battle = next(event for event in events if isinstance(event, Battle))
    assert (battle.forces, battle.winner) == (
        (Force(faction=None, ships=6), Force(faction="Red", ships=11), Force(faction="Blue", ships=4)),
        "Red",
    )
    captured = next(event for event in events if isinstance(event, SystemCaptured))
    assert (captured.loser, captured.faction) == (None, "Red")


def test_elimination_leaves_the_last_faction_as_the_winner() -> None:
    board = without_growth(make_board((RED, 20), (BLUE, 1)))
    state, events = advance_ticks(board, MoveFleet(faction="Red", system="S0", target="S1", ships=5), ticks=3)
    assert state.factions.alive.tolist() == [True, False]
    assert (state.status, state.winner) == ("finished", RED)
    assert [event.type for event in events[-2:]] == ["faction_eliminated", "sim_finished"]
    with pytest.raises(ValueError, match="finished at tick 3"):
        advance(state, [])


def test_a_faction_with_only_a_fleet_is_not_eliminated() -> None:
    board = without_growth(make_board((RED, 20), (BLUE, 5), (NO_OWNER, 1)))
    flee = MoveFleet(faction="Blue", system="S1", target="S2", ships=5)
    state, _ = advance_ticks(board, flee, SetOwner(faction=None, system="S1"), admin=True)
    assert state.factions.alive.tolist() == [True, True]
    assert state.status == "running"


@pytest.mark.parametrize(("red", "winner"), [(9, RED), (5, -1), (1, BLUE)])
def test_at_max_ticks_the_most_ships_win_and_a_tie_is_a_draw(red: int, winner: int) -> None:
    board = without_growth(make_board((RED, red), (BLUE, 5), max_ticks=2))
    state, _ = advance_ticks(board, ticks=2)
    assert (state.status, state.winner) == ("finished", winner)


@pytest.mark.parametrize(("sent", "winner"), [(4, RED), (5, -1), (6, BLUE)])
def test_at_max_ticks_ships_of_fleets_count(sent: int, winner: int) -> None:
    board = without_growth(make_board((RED, 10), (BLUE, 5), (NO_OWNER, 30), (BLUE, sent), max_ticks=1))
    state, _ = advance_ticks(board, MoveFleet(faction="Blue", system="S3", target="S2", ships=sent))
    assert (state.status, state.winner) == ("finished", winner)


def test_one_more_ship_wins_for_any_number_of_ships() -> None:
    """A float64 cannot represent the sums of all ships exactly."""
    state = make_board((RED, 1), (BLUE, 1))
    owner = np.repeat(np.array([RED, BLUE], np.int16), 10_000)
    ships = np.full(len(owner), MAX_SHIPS)
    ships[0] -= 1
    verdict = judge(5, 5, owner, ships, state.fleets, state.factions, Record(0))
    assert (verdict.finished, verdict.winner) == (True, BLUE)


def test_a_sim_without_factions_is_a_draw_at_max_ticks() -> None:
    config = SimConfig(seed=2, systems=10, homes=2, players=(), puppets=(), max_ticks=1)
    state = advance(initial_state(config), []).state
    assert (state.status, state.winner) == ("finished", -1)


def test_an_eliminated_faction_cannot_order_nor_join_again() -> None:
    board = without_growth(make_board((RED, 20), (BLUE, 1), (NO_OWNER, 1), max_ticks=9))
    state, _ = advance_ticks(board, SetOwner(faction=None, system="S1"), Join(faction="Green"), admin=True)
    _, events = advance_ticks(state, Join(faction="Blue"), Note(faction="Blue", text="still here"))
    assert reasons(events) == [RejectReason.ELIMINATED, RejectReason.ELIMINATED]


def test_where_travel_is_direct_a_fleet_goes_anywhere_by_distance() -> None:
    state, events = advance_ticks(
        make_board((RED, 5), (NO_OWNER, 1), (BLUE, 1), travel="direct"),
        MoveFleet(faction="Red", system="S0", target="S2", ships=1),
    )
    assert isinstance(events[0], FleetDeparted)
    assert events[0].arrives == 6
    assert state.fleets.target.tolist() == [2]


def test_join_skips_a_home_with_an_owner() -> None:
    board = make_board((RED, 5), (BLUE, 5), (NO_OWNER, 40), (NO_OWNER, 9))
    board = replace(board, galaxy=replace(board.galaxy, home=np.array([0, 1, 2], np.int32)))
    state, _ = advance_ticks(board, Join(faction="Green"))
    assert state.owner.tolist() == [RED, BLUE, 2, NO_OWNER]


def test_a_second_claim_sees_the_result_of_the_first() -> None:
    board = make_board((RED, 10), (NO_OWNER, 8), (BLUE, 1), supply=30)
    state, events = advance_ticks(board, SetOwner(faction="Red", system="S1"), SetOwner(faction="Red", system="S1"))
    assert reasons(events) == [RejectReason.NOT_NEUTRAL]
    assert (state.ships[1], state.factions.supply[0]) == (9, 2 + 4)
    board = make_board((NO_OWNER, 8), (RED, 10), (NO_OWNER, 8), (BLUE, 1), supply=30)
    _, events = advance_ticks(board, SetOwner(faction="Red", system="S0"), SetOwner(faction="Red", system="S2"))
    assert reasons(events) == [RejectReason.NOT_ENOUGH_SUPPLY]


def test_ships_of_a_system_lost_earlier_in_the_log_cannot_move() -> None:
    board = make_board((RED, 5), (BLUE, 9), (BLUE, 1))
    set_neutral = LoggedOrder("1-0", "admin", True, ORDER.dump_json(SetOwner(faction=None, system="S1")))
    move = ORDER.dump_json(MoveFleet(faction="Blue", system="S1", target="S2", ships=3))
    orders = [set_neutral, LoggedOrder("2-0", "blue", False, move)]
    assert reasons(tick_events(advance(board, orders), orders)) == [RejectReason.NOT_OWNER]


def test_an_arrival_one_tick_away_is_in_the_tick_of_the_order() -> None:
    board = without_growth(make_board((RED, 10), (BLUE, 2)))
    board = replace(board, galaxy=replace(board.galaxy, lane_length=np.array([1], np.int32)))
    state, events = advance_ticks(board, MoveFleet(faction="Red", system="S0", target="S1", ships=9))
    assert [event.type for event in events][:2] == ["fleet_departed", "fleet_arrived"]
    assert (state.owner.tolist(), state.ships.tolist()) == ([RED, RED], [1, 7])
    assert len(state.fleets.id) == 0


@pytest.mark.parametrize("orders", [3, 40])
def test_fleets_beyond_the_maximum_are_rejected(orders: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bulk, one_by_one):
        monkeypatch.setattr(module, "MAX_FLEETS", 2)
    board = make_board((RED, 1000), (BLUE, 1))
    _, events = advance_ticks(board, *[MoveFleet(faction="Red", system="S0", target="S1", ships=1)] * orders)
    assert reasons(events) == [RejectReason.TOO_MANY_FLEETS] * (orders - 2)
    details = {event.detail for event in events if isinstance(event, OrderRejected)}
    assert details == {"2 fleets are under way"}


def test_ship_counts_cannot_overflow() -> None:
    board = make_board((RED, MAX_SHIPS), (BLUE, MAX_SHIPS), (BLUE, 1), supply=MAX_SHIPS, muster_cost=0)
    add = AddFleet(faction="Red", system="S0", ships=MAX_SHIPS)
    send = MoveFleet(faction="Red", system="S0", target="S1", ships=MAX_SHIPS)
    orders: list[Order] = [add, send] * 20
    state, events = advance_ticks(board, *orders, ticks=3)
    assert not reasons(events)
    assert state.ships.tolist() == [3, MAX_SHIPS, 4]  # capped
    assert state.owner[1] == RED
    assert state.factions.supply.max() == MAX_SHIPS


def test_a_sim_ends_before_its_ticks_overflow() -> None:
    board = replace(make_board((RED, 9), (BLUE, 5)), tick=LAST_TICK - 1)
    state, _ = advance_ticks(board)
    assert (state.status, state.winner) == ("finished", RED)


@pytest.mark.parametrize(
    "order",
    [
        Join(faction="Green"),
        SetOwner(faction="Red", system="S1"),
        AddFleet(faction="Red", system="S0", ships=1),
        Note(faction="Red", text="hello"),
    ],
)
@pytest.mark.parametrize("times", [1, 30])
def test_in_classic_there_are_only_moves(order: Order, times: int) -> None:
    board = make_board((RED, 10), (NO_OWNER, 1), (BLUE, 1), supply=0, preset="classic", travel="direct")
    _, events = advance_ticks(board, *[order] * times)
    assert reasons(events) == [RejectReason.NOT_IN_CLASSIC] * times
    assert {event.detail for event in events if isinstance(event, OrderRejected)} == {
        f"the classic rules have no {order.type}"
    }
    _, events = advance_ticks(board, *[MoveFleet(faction="Red", system="S0", target="S2", ships=1)] * times)
    assert reasons(events) == [RejectReason.NOT_ENOUGH_SHIPS] * max(times - 10, 0)


def test_a_classic_sim_starts_with_its_players_and_ends_after_200_ticks() -> None:
    config = SimConfig(preset="classic", systems=20, homes=2, players=("One", "Two"))
    state = initial_state(config)
    assert (config.travel, config.max_ticks, config.puppets) == ("direct", 200, ())
    assert state.ships[state.galaxy.home].tolist() == [100, 100]
    assert state.factions.ids == ("One", "Two")
    while state.status == "running":
        state = advance(state, []).state
    assert (state.tick, state.winner) == (200, -1)
    assert state.factions.supply.tolist() == [0, 0]


def test_two_equal_largest_forces_leave_no_ships() -> None:
    board = without_growth(make_board((RED, 20), (NO_OWNER, 6), (BLUE, 20)))
    moves = (
        MoveFleet(faction="Red", system="S0", target="S1", ships=9),
        MoveFleet(faction="Blue", system="S2", target="S1", ships=9),
    )
    state, events = advance_ticks(board, *moves, ticks=3)
    assert (state.owner[1], state.ships[1]) == (NO_OWNER, 0)
    battle = next(event for event in events if isinstance(event, Battle))
    assert (battle.winner, battle.ships, len(battle.forces)) == (None, 0, 3)


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"move_fleet","faction":"Red","system":"S0","ships":1}',
        b'{"type":"add_fleet","faction":"Red","system":"S0","target":"S1","ships":1}',
        b'{"type":"move_fleet","faction":"Red","system":"S0","target":"S1","ships":9999999999999}',
        b'{"type":"move_fleet","faction":"Red","system":"S00","target":"S1","ships":1}',
    ],
)
@pytest.mark.parametrize("others", [0, 30])
def test_malformed_orders_are_rejected_in_bulk_and_alone(body: bytes, others: int) -> None:
    board = make_board((RED, 100), (BLUE, 1))
    good = log_orders(*[MoveFleet(faction="Red", system="S0", target="S1", ships=1)] * others)
    orders = [*good, LoggedOrder("99-0", "x", False, body)]
    assert reasons(tick_events(advance(board, orders), orders)) == [RejectReason.MALFORMED]


def test_system_0_can_be_captured_while_neutral() -> None:
    board = without_growth(make_board((NO_OWNER, 6), (RED, 30), (NO_OWNER, 6), (BLUE, 30), (NO_OWNER, 6)))
    moves = [
        MoveFleet(faction=faction, system=system, target=target, ships=10)
        for faction, system, target in (("Red", "S1", "S0"), ("Red", "S1", "S2"), ("Blue", "S3", "S4"))
    ]
    state, _ = advance_ticks(board, *moves, ticks=3)
    assert state.owner.tolist() == [RED, RED, RED, BLUE, BLUE]
    assert state.ships.tolist() == [4, 10, 4, 20, 4]
