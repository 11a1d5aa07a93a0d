"""Validation of orders: their form, what the token allows, and whether the sim has what they name."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import get_args

from pydantic import JsonValue, ValidationError
from sanic import Request

from sector.api.api_sim import ApiSim
from sector.api.authentication import Bearer
from sector.api.json_body import parse_json
from sector.api.problems import MAX_ERRORS, ApiError, invalid, invalid_unlisted, list_errors
from sector.models.orders import ORDER, Order, references
from sector.models.rows import has_row
from sector.state.watch.reader import SimView

MAX_ORDERS = 1_000
"""The maximum number of orders in one list."""
ORDER_TYPES = frozenset(kind.model_fields["type"].default for kind in get_args(get_args(Order)[0]))
_ORDERS_PER_SLICE = 50
_MAX_NAME = 1_000
_MAX_FIELDS = 32
"""The maximum number of fields in an order. Each unknown field is an error, and 1 MB can have 100,000 of them."""
_MAX_SLICE_NS = 50_000_000
"""The maximum work on a slice. The clock of the thread includes other requests that run while this one waits."""
_ORDER_BYTES = 512
_ORDER_NS = 1_000_000
"""The cost of a request is one for each order, for each `_ORDER_BYTES` of its body, or for each `_ORDER_NS` of work on it."""
_VALIDATE: Callable[[JsonValue], Order] = ORDER.validator.validate_python
_TO_JSON: Callable[[Order], bytes] = ORDER.serializer.to_json


@dataclass(slots=True)
class ValidatedOrders:
    """The orders of a request: the valid ones as JSON, and the errors of the others by their position.

    `cost` is the number of orders that the request counts as in rate limits.
    """

    is_list: bool
    accepted: list[bytes] = field(default_factory=list)
    rejected: dict[int, ApiError] = field(default_factory=dict)
    cost: int = 0
    _work_ns: int = 0

    def add_work(self, request: Request, orders: int, work_ns: int) -> None:
        """Add the time of one slice of work, and update the cost."""
        self._work_ns += min(work_ns, _MAX_SLICE_NS)
        self.cost = max(orders, len(request.body) // _ORDER_BYTES, self._work_ns // _ORDER_NS)


async def validate_body(request: Request, sim: ApiSim, bearer: Bearer) -> ValidatedOrders:
    """Parse and validate the orders of a request. Raises ApiError if it is one order that is invalid."""
    began_ns = time.thread_time_ns()
    body = parse_json(request, may_be_map=False)
    orders = ValidatedOrders(is_list=isinstance(body, list))
    checker = ReferenceChecker(sim)
    if isinstance(body, list):
        await _validate_list(request, body, bearer, checker, orders, began_ns)
        return orders
    order = validate_order(bearer, body)
    orders.add_work(request, 1, time.thread_time_ns() - began_ns)
    await checker.check(order)
    orders.accepted.append(_TO_JSON(order))
    return orders


async def _validate_list(
    request: Request,
    body: list[JsonValue],
    bearer: Bearer,
    checker: "ReferenceChecker",
    orders: ValidatedOrders,
    began_ns: int,
) -> None:
    if not 1 <= len(body) <= MAX_ORDERS:
        detail = f"a list must have 1 to {MAX_ORDERS} orders, this one has {len(body)}"
        raise ApiError(422, "Invalid list", detail)
    listed_errors = 0
    for first in range(0, len(body), _ORDERS_PER_SLICE):
        for number in range(first, min(first + _ORDERS_PER_SLICE, len(body))):
            try:
                order = validate_order(bearer, body[number], lists_errors=listed_errors < MAX_ERRORS)
                await checker.check(order)
                orders.accepted.append(_TO_JSON(order))
            except ApiError as error:
                # The traceback holds this frame, which holds the body: both would stay in memory until the garbage collector runs.
                orders.rejected[number] = error.with_traceback(None)
                listed_errors += len(error.errors)
        orders.add_work(request, len(body), time.thread_time_ns() - began_ns)
        # A thousand orders take about ten ms. Between slices, the API answers other requests.
        await asyncio.sleep(0)
        began_ns = time.thread_time_ns()


def validate_order(bearer: Bearer, body: JsonValue, *, lists_errors: bool = True) -> Order:
    """Return a valid order that the bearer may submit. Raises ApiError; without `lists_errors` it only counts the errors."""
    if isinstance(body, dict):
        if len(body) > _MAX_FIELDS:
            message = f"an order may have {_MAX_FIELDS} fields, this one has {len(body)}"
            raise invalid([{"field": "(body)", "message": message}])
        # Pydantic copies the name of an unknown field several times.
        if (longest := max(map(len, body), default=0)) > _MAX_NAME:
            message = f"the name of a field may have {_MAX_NAME} characters, one here has {longest}"
            raise invalid([{"field": "(body)", "message": message}])
        for name, value in body.items():
            # In JSON Schema 2020-12 it is an integer.
            if isinstance(value, float) and value.is_integer():
                body[name] = int(value)
    try:
        order = _VALIDATE(body)
    except ValidationError as error:
        api_error = invalid(list_errors(error, ORDER_TYPES)) if lists_errors else invalid_unlisted(error.error_count())
        raise api_error from error
    bearer.check_order(order)
    return order


class ReferenceChecker:
    """Checks that the sim has what the orders of one request name. If it has not, the view is refreshed once."""

    def __init__(self, sim: ApiSim) -> None:
        self._sim = sim
        self._view: SimView | None = None
        self._refreshed = False

    async def check(self, order: Order) -> None:
        """Raise ApiError unless the sim has what the order names. Whether the sim is finished is checked on admission."""
        if self._view is None:
            self._view = await self._sim.view()
        errors = list(_unknown_references(order, self._view))
        if errors and not self._refreshed:
            # It may be new in a tick that this process has not received yet.
            self._view, self._refreshed = await self._sim.current_view(), True
            errors = list(_unknown_references(order, self._view))
        if errors:
            raise invalid(errors)


def _unknown_references(order: Order, view: SimView) -> Iterator[dict[str, str]]:
    """Yield an error for each field that names what the sim does not have."""
    for name, table_name, row_id in references(order):
        for frame in (view.snapshot, view.map):
            if (table := frame.tables.get(table_name)) is not None and has_row(table, row_id):
                break
        else:
            yield {"field": name, "message": f"{row_id!r} is not one of the {table_name} of this sim"}
