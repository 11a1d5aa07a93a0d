"""POST /orders: validate orders, append the valid ones to the log, and answer with a result for each."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import xxhash
from sanic import Request

from sector.api.api_sim import ApiSim
from sector.api.authentication import Authenticator, Bearer
from sector.api.batch_results import encode_statuses, list_results
from sector.api.error_handlers import to_api_error
from sector.api.idempotency import REPLAYED, idempotency_key
from sector.api.metrics import ACCEPTED, REFUSED
from sector.api.order_rate_limit import OrderRates, RateLimitCache
from sector.api.order_validation import ValidatedOrders, validate_body
from sector.api.query_params import parse_query
from sector.api.request_throttle import RequestThrottle
from sector.api.responses import Response, json_response
from sector.process.deferred_metrics import defer_metric
from sector.process.tracing import Traces, trace_id
from sector.state.errors import RateLimited, ResponseDamaged
from sector.state.log import admission
from sector.state.log.admission import Admitted

_LARGE_BYTES, _LARGE_COMMAS = 32 * 2**10, 300
"""A body of this size, or with this number of fields and items, takes a turn: 1 MB takes 20 ms to parse, and so does a list of a thousand
invalid orders."""
_NO_DIGEST = bytes(admission.DIGEST_BYTES)
_UNEXPECTED = "unexpected error"


@dataclass(slots=True)
class _Submission:
    """A request with orders. `key`: its idempotency key. `traceparent`: of its span, None if it is not traced."""

    request: Request
    sim: ApiSim
    bearer: Bearer
    address: str
    key: str | None
    traceparent: str | None


class OrdersEndpoint:
    """Accepts orders."""

    def __init__(
        self,
        authenticator: Authenticator,
        rates: OrderRates,
        address: Callable[[Request], str],
        throttle: RequestThrottle,
        traces: Traces,
    ) -> None:
        self._traces = traces
        self._throttle = throttle
        self._authenticator = authenticator
        self._rates = rates
        self._address = address
        self._rate_limited = RateLimitCache()
        self.accepted = 0

    async def post(self, request: Request, sim: ApiSim) -> Response:
        """Answer one order with 202 and its id, a list with 207 and a result for each order."""
        span = self._traces.begin(
            "POST /orders", request.headers.getone("traceparent", None), {"sector.sim": sim.sim_id}
        )
        if span is not None:
            request.ctx.trace = trace_id(span.traceparent)
        status, fault = 500, _UNEXPECTED
        try:
            response = await self._post(request, sim, None if span is None else span.traceparent)
            status, fault = response.status, ""
        except Exception as error:
            status, fault = _count_rejection(error)
            raise
        finally:
            if span is not None:
                span.end({"http.response.status_code": status}, None, fault)
        return response

    async def _post(self, request: Request, sim: ApiSim, traceparent: str | None) -> Response:
        bearer = self._authenticator.authenticate(request)
        bearer.check_sim(sim.sim_id)
        address = self._address(request)
        self._rate_limited.check(bearer, address)
        if request.query_string:
            parse_query(request)
        submission = _Submission(request, sim, bearer, address, idempotency_key(request), traceparent)
        if len(request.body) < _LARGE_BYTES and request.body.count(b",") < _LARGE_COMMAS:
            orders = await validate_body(request, sim, bearer)
        else:
            async with self._throttle.turn(request):
                orders = await validate_body(request, sim, bearer)
        return await (self._submit_list if orders.is_list else self._submit_one)(submission, orders)

    async def _submit_one(self, submission: _Submission, orders: ValidatedOrders) -> Response:
        admitted = await self._admit(submission, orders)
        body = b'{"id":"%b","status":"pending"}' % admitted.ids[0].encode()
        return Response(body, 202, headers=REPLAYED if admitted.replayed else ())

    async def _submit_list(self, submission: _Submission, orders: ValidatedOrders) -> Response:
        rejected = orders.rejected
        # A list without a valid order counts as well: validating it was as much work.
        admitted = await self._admit(
            submission, orders, encode_statuses(rejected, len(orders.accepted) + len(rejected))
        )
        for error in rejected.values():
            REFUSED.labels(error.title).inc()
        try:
            results = list_results(rejected, admitted.stored_response, admitted.ids)
        except (struct.error, ValueError, TypeError, StopIteration, RuntimeError) as error:
            raise ResponseDamaged(str(submission.key)) from error
        return json_response({"results": results}, 207, headers=REPLAYED if admitted.replayed else ())

    async def _admit(self, submission: _Submission, orders: ValidatedOrders, stored_response: bytes = b"") -> Admitted:
        """Append the valid orders of a request to the log."""
        bearer, address = submission.bearer, submission.address
        key = submission.key if orders.accepted else None
        request = admission.Request(
            bearer.subject,
            orders.accepted,
            bearer.admin,
            self._rates.of(bearer, address),
            key,
            xxhash.xxh3_128_digest(submission.request.body) if key is not None else _NO_DIGEST,
            stored_response,
            orders.cost,
            submission.traceparent,
        )
        try:
            admitted = await submission.sim.group.admit(request)
        except RateLimited as error:
            self._rate_limited.add(bearer, address, error, request)
            raise
        if not admitted.replayed:
            self.accepted += len(orders.accepted)
            defer_metric(ACCEPTED.inc, len(orders.accepted))
        return admitted


def _count_rejection(error: Exception) -> tuple[int, str]:
    """Return the status and text of an error, and count it if its kind is known.

    This is a function, because a frame in the traceback of the error must not hold the error: the body of the request would stay in
    memory until the garbage collector runs.
    """
    api_error = to_api_error(error)
    if api_error is None:
        return 500, _UNEXPECTED
    REFUSED.labels(api_error.title).inc()
    return api_error.status, str(api_error)
