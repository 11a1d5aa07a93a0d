"""Bulk application of orders: which orders it applies, and that the result is the same as one by one."""

from collections.abc import Mapping, Sequence

import pytest
from boards import BLUE, NO_OWNER, RED, log_orders, make_board, without_growth

from sector.models import AddFleet, Join, LoggedOrder, MoveFleet, Note, Order, SetOwner
from sector.models.field_types import MAX_SHIPS
from sector.models.rows import event_rows
from sector.world import bulk
from sector.world import orders as rules
from sector.world.bulk import apply_logged
from sector.world.codec import events_frame
from sector.world.mutable_state import MutableState
from sector.world.state import WorldState
from sector.world.tick import TickResult, advance


def move(ships: int, system: str = "S0", target: str = "S1", faction: str = "Red") -> MoveFleet:
    return MoveFleet(faction=faction, system=system, target=target, ships=ships)


def muster(ships: int, system: str = "S0", faction: str = "Red") -> AddFleet:
    return AddFleet(faction=faction, system=system, ships=ships)


def one_by_one(state: WorldState, logged: Sequence[LoggedOrder], few: int = 0) -> list[int]:
    """Return the positions of the orders that are applied one by one."""
    places: list[int] = []

    def recorded(mutable: object, place: int, *args: object, **kwargs: object) -> None:
        places.append(place)
        rules.apply(mutable, place, *args, **kwargs)  # type: ignore[arg-type]  # as it was called

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bulk, "apply", recorded)
        apply_logged(MutableState.from_state(state, len(logged)), logged, few)
    return places


def tick(state: WorldState, logged: Sequence[LoggedOrder], few: int) -> tuple[TickResult, list[Mapping[str, object]]]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bulk.apply_logged, "__defaults__", (few,))
        done = advance(state, logged)
    return done, list(event_rows(events_frame(done, logged)))


def assert_same_either_way(state: WorldState, logged: Sequence[LoggedOrder]) -> None:
    (at_once, events), (slowly, expected) = tick(state, logged, 0), tick(state, logged, 10**9)
    assert events == expected
    assert at_once.state.ships.tolist() == slowly.state.ships.tolist()
    assert at_once.state.factions.supply.tolist() == slowly.state.factions.supply.tolist()


BOARD = without_growth(make_board((RED, 10), (BLUE, 0), (NO_OWNER, 7), muster_cost=2))


@pytest.mark.parametrize(
    ("state", "orders", "admin"),
    [
        # The garrison suffices exactly, and so does the supply.
        (BOARD, (move(4), move(6)), False),
        (BOARD, (muster(20), muster(30)), False),
        (BOARD, (move(10), muster(50)), False),
        (make_board((RED, MAX_SHIPS - 5), (BLUE, 1)), (muster(2), muster(3)), False),
        (make_board((RED, MAX_SHIPS), (BLUE, 1)), (move(1), move(2)), False),
        # An empty garrison can be mustered to, and the supply of one faction does not affect another.
        (BOARD, (muster(50, "S1", "Blue"), muster(50)), False),
        (BOARD, (muster(MAX_SHIPS, "S1", "Blue"), muster(1)), True),
        (make_board((RED, 5), (BLUE, 5)), (move(3), move(4, "S1", "S0", "Blue")), False),
        # An order without a cost needs no supply.
        (make_board((RED, 500), (BLUE, 1), supply=3, muster_cost=2), (move(200), move(300), muster(1)), False),
        (make_board((RED, 5), (BLUE, 1), supply=0, muster_cost=0), (muster(7), muster(8)), False),
        (make_board((RED, 5), (BLUE, 1), supply=9, muster_cost=1), (muster(4), muster(5)), False),
        (make_board((RED, 5), (BLUE, 1), supply=0), (muster(7), muster(8)), True),
        # An admin moves the ships of any owner.
        (BOARD, (move(3, faction="Blue"), move(4, faction="Blue")), True),
        (
            make_board((RED, 9), (NO_OWNER, 1), (BLUE, 1), travel="direct"),
            (move(3, "S0", "S2"), move(4, "S0", "S1")),
            False,
        ),
        (make_board((RED, 9), (NO_OWNER, 1), (BLUE, 1), travel="direct", preset="classic"), (move(3), move(4)), False),
    ],
)
def test_orders_that_commute_are_applied_in_bulk(state: WorldState, orders: tuple[Order, ...], admin: bool) -> None:
    logged = log_orders(*orders, admin=admin)
    assert one_by_one(state, logged) == []
    assert_same_either_way(state, logged)


@pytest.mark.parametrize(
    ("orders", "admin", "places"),
    [
        # Together they exceed the garrison, the supply, or the maximum of a garrison. Which one fails depends on the
        # order.
        ((move(4), move(7), muster(1, "S1", "Blue")), False, [0, 1]),
        ((muster(20), muster(31), move(1)), False, [0, 1]),
        ((muster(MAX_SHIPS), muster(1)), False, [0, 1]),
        ((muster(MAX_SHIPS - 10), muster(1)), True, [0, 1]),
        # A claim spends the supply, and a change of owner concerns all moves from the system.
        ((SetOwner(faction="Red", system="S2"), muster(1), move(1)), False, [0, 1]),
        ((SetOwner(faction=None, system="S0"), move(1), muster(1, "S1", "Blue")), True, [0, 1]),
        # An order that breaks a rule is rejected in its turn: wrong or missing owners, systems and factions.
        ((move(1, "S1", "S0"), muster(1)), False, [0]),
        ((move(1, "S2", "S1"), muster(1)), True, [0]),
        ((move(1, "S0", "S2"), muster(1)), False, [0]),
        ((move(1, "S0", "S3"), muster(1)), False, [0]),
        ((move(1, "S3", "S0"), muster(1)), False, [0]),
        ((muster(1, "S3", "Blue"), muster(1)), False, [0]),
        ((muster(1, "S2", "Blue"), muster(1)), False, [0]),
        ((muster(1, "S0", "Grey"), muster(1)), False, [0]),
        # An order affects only those orders of the batch that share a system or a faction with it.
        ((Note(faction="Red", text="x"), move(1), muster(1)), False, [0]),
        ((SetOwner(faction="Grey", system="S9"), move(1), muster(1)), False, [0]),
        ((Join(faction="Grey"), move(1), muster(1)), False, [0]),
    ],
)
def test_orders_that_depend_on_others_are_applied_one_by_one(
    orders: tuple[Order, ...], admin: bool, places: list[int]
) -> None:
    logged = log_orders(*orders, admin=admin)
    assert one_by_one(BOARD, logged) == places
    assert_same_either_way(BOARD, logged)


def test_in_classic_a_muster_is_rejected_in_log_order() -> None:
    state = make_board((RED, 9), (BLUE, 1), preset="classic", travel="direct")
    logged = log_orders(move(3), muster(1))
    assert one_by_one(state, logged) == [1]
    assert_same_either_way(state, logged)


def test_a_muster_at_an_unknown_system_is_rejected() -> None:
    state = make_board((RED, 9), (BLUE, 1))
    logged = log_orders(muster(1, "S2", "Blue"), muster(1))
    assert one_by_one(state, logged) == [0]
    assert_same_either_way(state, logged)


@pytest.mark.parametrize(("most", "places"), [(3, []), (2, [0, 1, 2])])
def test_no_more_than_the_maximum_of_fleets_is_launched_in_bulk(
    most: int, places: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (bulk, rules):
        monkeypatch.setattr(module, "MAX_FLEETS", most)
    logged = log_orders(move(1), move(2), move(3))
    assert one_by_one(BOARD, logged) == places
    assert_same_either_way(BOARD, logged)


def test_orders_in_another_spelling_count_as_fleets(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bulk, rules):
        monkeypatch.setattr(module, "MAX_FLEETS", 2)
    state = make_board((RED, 9), (RED, 9), (BLUE, 1))
    first, *rest = log_orders(move(1, "S1", "S0"), move(2), move(3))
    logged = [LoggedOrder(first.id, first.issuer, False, b" " + first.body), *rest]
    assert one_by_one(state, logged) == [0, 1, 2]
    assert_same_either_way(state, logged)


@pytest.mark.parametrize(("few", "places"), [(1, []), (2, [0, 1]), (3, [0, 1])])
def test_a_few_orders_are_applied_one_by_one(few: int, places: list[int]) -> None:
    assert one_by_one(BOARD, log_orders(move(1), muster(1)), few) == places


@pytest.mark.parametrize("few", [0, 9])
def test_a_body_with_several_lines_is_one_order(few: int) -> None:
    """The lines look like orders, and their number is that of the bodies. Yet neither body is an order."""
    (order,) = log_orders(move(1))
    bodies = (order.body + b"\n" + order.body, b"nonsense")
    logged = [LoggedOrder(f"{number}-0", "x", False, body) for number, body in enumerate(bodies, 1)]
    _, events = tick(BOARD, logged, few)
    assert [(event["type"], event["reason"]) for event in events] == [("order_rejected", "malformed")] * 2


@pytest.mark.parametrize("few", [0, 9])
def test_an_entry_with_a_fault_is_rejected_with_that_fault(few: int) -> None:
    given = [LoggedOrder("1-0", "x", False, b"", "not an order: nothing in it"), LoggedOrder("2-0", "x", False, b"[")]
    _, events = tick(BOARD, given, few)
    first, second = (str(event["detail"]) for event in events)
    assert first == "not an order: nothing in it"
    assert second == "the order is not JSON: it ends too early, at line 1 column 1"
