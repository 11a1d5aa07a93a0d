"""POST /orders: check each order, let the good ones into the log, and say of each what became of it."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import get_args

import jiter
import orjson
import xxhash
from pydantic import JsonValue, ValidationError
from sanic import Request

from sector.api.answers import Answer, Headers, said
from sector.api.bearer import Authority, Bearer
from sector.api.followed import Followed
from sector.api.metrics import ACCEPTED, REFUSED
from sector.api.problems import Problem, faults_of, invalid, invalid_header, problem_of
from sector.api.query import query
from sector.models.orders import ORDER, Order, references
from sector.models.rows import has_row
from sector.process.counting import count_soon
from sector.process.tracing import Span, Traces, trace_id
from sector.state import admission
from sector.state.admission import Admitted, Rate
from sector.state.errors import TooFast
from sector.state.reader import View

MAX_ORDERS = 1_000
TAGS = frozenset(kind.model_fields["type"].default for kind in get_args(get_args(Order)[0]))
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_BURST_S = 10
_AT_A_TIME = 50
_KNOWN = 10_000
_JSON = "application/json"
_TAKEN = frozenset({_JSON, "application/x-www-form-urlencoded", ""})
"""The second is what curl says by itself."""
_NO_DIGEST = bytes(admission.DIGEST_BYTES)
_VALID: Callable[[JsonValue], Order] = ORDER.validator.validate_python
_AS_JSON: Callable[[Order], bytes] = ORDER.serializer.to_json
_REPLAYED: Headers = ((b"idempotency-replayed", b"true"),)


class Rates:
    """Orders a second that a token and an address may give; 0: any number."""

    def __init__(self, per_token: float, per_address: float) -> None:
        self._per_token = per_token
        self._per_address = per_address
        self._known: dict[tuple[str, str], tuple[Rate, ...]] = {}

    def of(self, bearer: Bearer, address: str) -> tuple[Rate, ...]:
        """Return what holds for who asks."""
        asker = ("" if bearer.open else bearer.subject, address)
        known = self._known.get(asker)
        if known is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            known = self._known[asker] = tuple(self._new(*asker))
        return known

    def _new(self, subject: str, address: str) -> Iterator[Rate]:
        if self._per_token and subject:
            yield _rate("token", subject, self._per_token)
        if self._per_address:
            yield _rate("address", address, self._per_address)


def _rate(kind: str, who: str, a_second: float) -> Rate:
    return Rate(f"{kind} {who}", a_second, max(1, round(a_second * _BURST_S)))


class _Hasty:
    """Those who were told to wait: until they have, they are refused without a look at what they send."""

    def __init__(self) -> None:
        self._until_s: dict[tuple[str, str], tuple[float, TooFast]] = {}

    def note(self, bearer: Bearer, address: str, refused: TooFast, asked: admission.Request) -> None:
        """Note who was refused, until a single order of theirs could be let in."""
        if len(self._until_s) >= _KNOWN:
            self._until_s.clear()
        rate = next(rate for rate in asked.rates if rate.of == refused.of)
        more = min(asked.cost or len(asked.orders), rate.at_once) - 1
        until_s = time.monotonic() + refused.retry_after_s - more / rate.a_second
        self._until_s[bearer.subject, address] = (until_s, refused)

    def check(self, bearer: Bearer, address: str) -> None:
        """Raise TooFast where the time is not over."""
        if not self._until_s or (known := self._until_s.get((bearer.subject, address))) is None:
            return
        until_s, refused = known
        left_s = until_s - time.monotonic()
        if left_s > 0:
            raise TooFast(refused.of, refused.a_second, left_s)
        del self._until_s[bearer.subject, address]


class Orders:
    """Takes orders."""

    def __init__(self, authority: Authority, rates: Rates, address: Callable[[Request], str], traces: Traces) -> None:
        self._traces = traces
        self._authority = authority
        self._rates = rates
        self._address = address
        self._hasty = _Hasty()
        self.accepted = 0

    async def post(self, request: Request, sim: Followed) -> Answer:
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
            if (foreseen := problem_of(error)) is not None:
                REFUSED.labels(foreseen.title).inc()
                status, fault = foreseen.status, str(foreseen)
            raise
        finally:
            if span is not None:
                span.end({"http.response.status_code": status}, None, fault)
        return answer

    async def _post(self, request: Request, sim: Followed, span: Span | None) -> Answer:
        bearer = self._authority.bearer(request)
        bearer.check_sim(sim.sim_id)
        self._hasty.check(bearer, self._address(request))
        if request.query_string:
            query(request)
        key = _key(request)
        body = parsed(request)
        if isinstance(body, list):
            return await self._list(request, sim, bearer, key, body, span)
        order = valid(bearer, body)
        await _Seen(sim).check(order)
        admitted = await self._admit(request, sim, bearer, key, [_AS_JSON(order)], span=span)
        self._count(admitted, 1)
        more = _REPLAYED if admitted.repeated else ()
        return Answer(b'{"id":"%b","status":"pending"}' % admitted.ids[0].encode(), 202, more=more)

    def _count(self, admitted: Admitted, orders: int) -> None:
        if not admitted.repeated:
            self.accepted += orders
            count_soon(ACCEPTED.inc, orders)

    async def _list(
        self,
        request: Request,
        sim: Followed,
        bearer: Bearer,
        key: str,
        bodies: list[JsonValue],
        span: Span | None,
    ) -> Answer:
        if not 1 <= len(bodies) <= MAX_ORDERS:
            detail = f"a list holds 1 to {MAX_ORDERS} orders, this one {len(bodies)}"
            raise Problem(422, "Not a valid list", detail)
        seen = _Seen(sim)
        refused: dict[int, Problem] = {}
        accepted: list[bytes] = []
        for number, body in enumerate(bodies):
            if number % _AT_A_TIME == _AT_A_TIME - 1:
                # Others are answered in between: a thousand take some ten ms.
                await asyncio.sleep(0)
            try:
                order = valid(bearer, body)
                await seen.check(order)
                accepted.append(_AS_JSON(order))
            except Problem as problem:
                refused[number] = problem
        results: list[JsonValue] = [
            {"status": refused[number].status, "problem": refused[number].body} if number in refused else None
            for number in range(len(bodies))
        ]
        rest = orjson.dumps(results) if refused else b""
        # Where none is good it counts all the same: it was as much work.
        admitted = await self._admit(request, sim, bearer, key if accepted else "", accepted, rest, len(bodies), span)
        self._count(admitted, len(accepted))
        for each in refused.values():
            REFUSED.labels(each.title).inc()
        # What is kept is what was said at the first time.
        kept: list[JsonValue] = orjson.loads(admitted.rest) if admitted.rest else [None] * len(admitted.ids)
        filled = list(_filled(kept, iter(admitted.ids)))
        return said({"results": filled}, 207, more=_REPLAYED if admitted.repeated else ())

    async def _admit(
        self,
        request: Request,
        sim: Followed,
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
        except TooFast as refused:
            self._hasty.note(bearer, address, refused, asked)
            raise


def _key(request: Request) -> str:
    key: str | None = request.headers.getone("idempotency-key", None)
    if key is not None and not _KEY.fullmatch(key):
        raise invalid_header("Idempotency-Key", "it has 1 to 255 visible ASCII characters")
    return key or ""


def _filled(results: list[JsonValue], ids: Iterator[str]) -> Iterator[JsonValue]:
    for result in results:
        yield {"status": 202, "id": next(ids)} if result is None else result


def parsed(request: Request) -> JsonValue:
    """Return the JSON in the body of a request. Raises Problem."""
    kind = request.headers.getone("content-type", _JSON)
    if kind != _JSON and kind.partition(";")[0].strip().lower() not in _TAKEN:
        detail = f"a body is application/json, not {kind[:80]!r}"
        raise Problem(415, "Not a type that is taken", detail, headers={"Accept": "application/json"})
    try:
        found: JsonValue = jiter.from_json(request.body, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise Problem(400, "Malformed JSON", f"the body is not JSON: {error}") from error
    return found


def valid(bearer: Bearer, body: JsonValue) -> Order:
    """Return an order that is one, and that they may give. Raises Problem."""
    try:
        order = _VALID(body)
    except ValidationError as error:
        raise invalid(faults_of(error, TAGS)) from error
    bearer.check_order(order)
    return order


class _Seen:
    """The view that the orders of a request are held against; it catches up with the head once, where one names what is not known."""

    def __init__(self, sim: Followed) -> None:
        self._sim = sim
        self._view: View | None = None
        self._fresh = False

    async def check(self, order: Order) -> None:
        """Raise Problem unless the sim has what the order names. Whether it goes on, Redis tells."""
        if self._view is None:
            self._view = await self._sim.view()
        faults = unknown(order, self._view)
        if faults and not self._fresh:
            # It may have come with a tick that we have not heard of yet.
            self._view, self._fresh = await self._sim.caught_up(), True
            faults = unknown(order, self._view)
        if faults:
            raise invalid(faults)


def unknown(order: Order, view: View) -> list[dict[str, str]]:
    """Return a fault for each field that names what the sim has not."""
    faults: list[dict[str, str]] = []
    for field, table, row_id in references(order):
        for frame in (view.snapshot, view.map):
            if (found := frame.tables.get(table)) is not None and has_row(found, row_id):
                break
        else:
            faults.append({"field": field, "message": f"{row_id!r} is not among the {table} of this sim"})
    return faults
