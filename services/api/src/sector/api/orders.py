"""POST /orders: check each order, let the good ones into the log, and say of each what became of it."""

import asyncio
import re
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args

import xxhash
from pydantic import JsonValue, ValidationError
from sanic import Request

from sector.api.api_sim import ApiSim
from sector.api.authentication import Authenticator, Bearer
from sector.api.batch_results import results, stored_statuses
from sector.api.error_handlers import to_api_error
from sector.api.json_body import parsed
from sector.api.metrics import ACCEPTED, REFUSED
from sector.api.order_rate_limit import OrderRates, RateLimitCache
from sector.api.problems import MAX_ERRORS, ApiError, faults_of, invalid, invalid_header, invalid_unlisted
from sector.api.query_params import parse_query
from sector.api.request_throttle import RequestThrottle
from sector.api.responses import Headers, Response, json_response
from sector.models.orders import ORDER, Order, references
from sector.models.rows import has_row
from sector.process.deferred_metrics import defer_metric
from sector.process.tracing import Span, Traces, trace_id
from sector.state.errors import RateLimited, ResponseDamaged
from sector.state.log import admission
from sector.state.log.admission import Admitted
from sector.state.watch.reader import SimView

MAX_ORDERS = 1_000
TAGS = frozenset(kind.model_fields["type"].default for kind in get_args(get_args(Order)[0]))
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_AT_A_TIME = 50
_MAX_NAME = 1_000
_MAX_FIELDS = 32
"""Of an order: each unknown field is an error of its own, and a body of 1 MB has room for 100,000 of them."""
_LARGE_BYTES, _LARGE_COMMAS = 32 * 2**10, 300
"""Bodies of so many bytes, or of so many fields and items, are parsed in turns: one of 1 MB takes some 20 ms, and so does a list of a
thousand orders that are all invalid."""
_MAX_SLICE_NS = 50_000_000
"""Work on some orders of a list. More than this is not ours: the loop served other requests while we waited for the sim."""
_ORDER_BYTES = 512
_ORDER_NS = 1_000_000
"""A request counts as one order for each order in it, or for each so many bytes of it, or so many nanoseconds of work on it."""
_NO_DIGEST = bytes(admission.DIGEST_BYTES)
_VALID: Callable[[JsonValue], Order] = ORDER.validator.validate_python
_AS_JSON: Callable[[Order], bytes] = ORDER.serializer.to_json
REPLAYED: Headers = ((b"idempotency-replayed", b"true"),)


class OrdersEndpoint:
    """Takes orders."""

    def __init__(
        self,
        authority: Authenticator,
        rates: OrderRates,
        address: Callable[[Request], str],
        throttle: RequestThrottle,
        traces: Traces,
    ) -> None:
        self._traces = traces
        self._throttle = throttle
        self._authority = authority
        self._rates = rates
        self._address = address
        self._rate_limited = RateLimitCache()
        self.accepted = 0

    async def post(self, request: Request, sim: ApiSim) -> Response:
        """Answer one order with 202 and its id, a list with 207 and a result each."""
        span = self._traces.begin(
            "POST /orders", request.headers.getone("traceparent", None), {"sector.sim": sim.sim_id}
        )
        if span is not None:
            request.ctx.trace = trace_id(span.traceparent)
        status, fault = 500, "not foreseen"
        try:
            answer = await self._post(request, sim, span)
            status, fault = answer.status, ""
        except Exception as error:
            status, fault = _count_refusal(error)
            raise
        finally:
            if span is not None:
                span.end({"http.response.status_code": status}, None, fault)
        return answer

    async def _post(self, request: Request, sim: ApiSim, span: Span | None) -> Response:
        bearer = self._authority.bearer(request)
        bearer.check_sim(sim.sim_id)
        self._rate_limited.check(bearer, self._address(request))
        if request.query_string:
            parse_query(request)
        key = idempotency_key(request)
        if len(request.body) < _LARGE_BYTES and request.body.count(b",") < _LARGE_COMMAS:
            checked = await self._check(request, sim, bearer)
        else:
            async with self._throttle.turn(request):
                checked = await self._check(request, sim, bearer)
        if checked.is_list:
            return await self._list(request, sim, bearer, key, checked, span)
        admitted = await self._admit(request, sim, bearer, key, checked.accepted, cost=checked.cost, span=span)
        self._count(admitted, 1)
        more = REPLAYED if admitted.replayed else ()
        return Response(b'{"id":"%b","status":"pending"}' % admitted.ids[0].encode(), 202, headers=more)

    async def _check(self, request: Request, sim: ApiSim, bearer: Bearer) -> "CheckedOrders":
        """Parse and validate the orders of a request. Raises Problem for a single order that is not accepted."""
        began_ns = time.thread_time_ns()
        body = parsed(request, may_be_map=False)
        checked = CheckedOrders(is_list=isinstance(body, list))
        if not isinstance(body, list):
            order = valid(bearer, body)
            checked.note_work(request, 1, time.thread_time_ns() - began_ns)
            await ReferenceChecker(sim).check(order)
            checked.accepted.append(_AS_JSON(order))
            return checked
        if not 1 <= len(body) <= MAX_ORDERS:
            detail = f"a list holds 1 to {MAX_ORDERS} orders, this one {len(body)}"
            raise ApiError(422, "Not a valid list", detail)
        seen = ReferenceChecker(sim)
        listed = 0
        for first in range(0, len(body), _AT_A_TIME):
            for number in range(first, min(first + _AT_A_TIME, len(body))):
                try:
                    order = valid(bearer, body[number], lists_errors=listed < MAX_ERRORS)
                    await seen.check(order)
                    checked.accepted.append(_AS_JSON(order))
                except ApiError as problem:
                    # Its traceback holds this frame, which holds the body: they would wait for the garbage collector.
                    checked.rejected[number] = problem.with_traceback(None)
                    listed += len(problem.errors)
            checked.note_work(request, len(body), time.thread_time_ns() - began_ns)
            # Others are answered in between: a thousand take some ten ms.
            await asyncio.sleep(0)
            began_ns = time.thread_time_ns()
        return checked

    def _count(self, admitted: Admitted, orders: int) -> None:
        if not admitted.replayed:
            self.accepted += orders
            defer_metric(ACCEPTED.inc, orders)

    async def _list(
        self, request: Request, sim: ApiSim, bearer: Bearer, key: str, checked: "CheckedOrders", span: Span | None
    ) -> Response:
        accepted, rejected = checked.accepted, checked.rejected
        stored = stored_statuses(rejected, len(accepted) + len(rejected))
        # A list without a valid order counts as well: it was as much work.
        admitted = await self._admit(
            request, sim, bearer, key if accepted else "", accepted, stored, checked.cost, span
        )
        self._count(admitted, len(accepted))
        for each in rejected.values():
            REFUSED.labels(each.title).inc()
        try:
            listed = results(rejected, admitted.stored_response, admitted.ids)
        except (struct.error, ValueError, TypeError, StopIteration, RuntimeError) as error:
            raise ResponseDamaged(key) from error
        return json_response({"results": listed}, 207, headers=REPLAYED if admitted.replayed else ())

    async def _admit(
        self,
        request: Request,
        sim: ApiSim,
        bearer: Bearer,
        key: str,
        orders: list[bytes],
        rest: bytes = b"",
        cost: int = 0,
        span: Span | None = None,
    ) -> Admitted:
        digest = xxhash.xxh3_128_digest(request.body) if key else _NO_DIGEST
        address = self._address(request)
        rates = self._rates.of(bearer, address)
        trace = "" if span is None else span.traceparent
        asked = admission.Request(bearer.subject, orders, bearer.admin, rates, key, digest, rest, cost, trace)
        try:
            return await sim.group.admit(asked)
        except RateLimited as refused:
            self._rate_limited.note(bearer, address, refused, asked)
            raise


def _count_refusal(error: Exception) -> tuple[int, str]:
    """Return the status of an error and its text, and count it if it was foreseen.

    A function of its own: a frame that is in the error's traceback must not hold the error, or the body of the request stays in
    memory until the garbage collector runs.
    """
    foreseen = to_api_error(error)
    if foreseen is None:
        return 500, "not foreseen"
    REFUSED.labels(foreseen.title).inc()
    return foreseen.status, str(foreseen)


@dataclass(slots=True)
class CheckedOrders:
    """The orders of a request: those to submit, as JSON, and the problems of the others by their number. `cost`: for how many orders
    the request counts."""

    is_list: bool
    accepted: list[bytes] = field(default_factory=list)
    rejected: dict[int, ApiError] = field(default_factory=dict)
    cost: int = 0
    _work_ns: int = 0

    def note_work(self, request: Request, orders: int, work_ns: int) -> None:
        """Add to the work on it."""
        self._work_ns += min(work_ns, _MAX_SLICE_NS)
        self.cost = max(orders, len(request.body) // _ORDER_BYTES, self._work_ns // _ORDER_NS)


def idempotency_key(request: Request) -> str:
    """Return the idempotency key of a request, empty without one. Raises Problem."""
    key: str | None = request.headers.getone("idempotency-key", None)
    if key is not None and not _KEY.fullmatch(key):
        raise invalid_header("Idempotency-Key", "it has 1 to 255 visible ASCII characters")
    return key or ""


def valid(bearer: Bearer, body: JsonValue, *, lists_errors: bool = True) -> Order:
    """Return a valid order that the bearer may submit. Raises Problem; without `lists_errors` it only counts what is wrong."""
    if isinstance(body, dict):
        if len(body) > _MAX_FIELDS:
            message = f"an order has at most {_MAX_FIELDS} fields, this one {len(body)}"
            raise invalid([{"field": "(body)", "message": message}])
        # Pydantic copies the name of an unknown field several times.
        if (longest := max(map(len, body), default=0)) > _MAX_NAME:
            message = f"the name of a field has at most {_MAX_NAME} characters, one here has {longest}"
            raise invalid([{"field": "(body)", "message": message}])
        for name, value in body.items():
            # In JSON Schema 2020-12 it is an integer.
            if isinstance(value, float) and value.is_integer():
                body[name] = int(value)
    try:
        order = _VALID(body)
    except ValidationError as error:
        problem = invalid(faults_of(error, TAGS)) if lists_errors else invalid_unlisted(error.error_count())
        raise problem from error
    bearer.check_order(order)
    return order


class ReferenceChecker:
    """The view that the orders of a request are held against; it catches up with the head once, where one names what is not known."""

    def __init__(self, sim: ApiSim) -> None:
        self._sim = sim
        self._view: SimView | None = None
        self._fresh = False

    async def check(self, order: Order) -> None:
        """Raise Problem unless the sim has what the order names. Whether it goes on, Redis tells."""
        if self._view is None:
            self._view = await self._sim.view()
        faults = unknown(order, self._view)
        if faults and not self._fresh:
            # It may have come with a tick that we have not heard of yet.
            self._view, self._fresh = await self._sim.current_view(), True
            faults = unknown(order, self._view)
        if faults:
            raise invalid(faults)


def unknown(order: Order, view: SimView) -> list[dict[str, str]]:
    """Return a fault for each field that names what the sim has not."""
    faults: list[dict[str, str]] = []
    for name, table, row_id in references(order):
        for frame in (view.snapshot, view.map):
            if (found := frame.tables.get(table)) is not None and has_row(found, row_id):
                break
        else:
            faults.append({"field": name, "message": f"{row_id!r} is not among the {table} of this sim"})
    return faults
