"""GET /snapshot and GET /map: the state as rows or as columns, now or as it was."""

from sanic import Request

from sector.api.api_sim import ApiSim
from sector.api.encoded_views import FORMATS, Coding, EncodedViews, Format, negotiate_encoding
from sector.api.problems import ApiError, invalid_query
from sector.api.query_params import number, query
from sector.api.request_throttle import RequestThrottle, Turn
from sector.api.responses import Headers, Response
from sector.state.errors import HistoryGone
from sector.state.history import history

_PAST_KEPT = 16


async def get_snapshot(throttle: RequestThrottle, request: Request, sim: ApiSim) -> Response:
    """Answer with the state, or 304 where the client has it."""
    if not request.query_string:
        return await _answer(request, await sim.newest(), "rows")
    asked = query(request, "format", "tick")
    kind = next((each for each in FORMATS if each == asked.get("format", "rows") and each != "map"), None)
    if kind is None:
        raise invalid_query("format", f"{asked['format']!r} is neither rows nor columns")
    if "tick" not in asked:
        return await _answer(request, await sim.newest(), kind)
    return await _answer(
        request, await _past(sim, number("tick", asked["tick"], 0, 2**53), throttle.turn_of(request)), kind
    )


async def get_map(request: Request, sim: ApiSim) -> Response:
    """Answer with what never changes of the sim, or 304 where the client has it."""
    query(request)
    return await _answer(request, await sim.newest(), "map")


async def _answer(request: Request, bodies: EncodedViews, kind: Format) -> Response:
    coding: Coding = negotiate_encoding(request.headers.getone("accept-encoding", ""))
    tag = bodies.tag(kind, coding)
    headers: Headers = ((b"etag", tag.encode()), (b"cache-control", b"no-cache"), (b"vary", b"accept-encoding"))
    seen = request.headers.getone("if-none-match", None)
    if seen is not None and (seen == tag or _among(tag, seen)):
        return Response(b"", 304, content_type=b"", headers=headers)
    body = await bodies.body(kind, coding)
    if coding:
        headers += ((b"content-encoding", coding.encode()),)
    return Response(body, headers=headers)


def _among(tag: str, seen: str) -> bool:
    # Comparison is weak (RFC 9110, 13.1.2).
    tags = [each.strip().removeprefix("W/") for each in seen.split(",")]
    return tag in tags or "*" in tags


async def _past(sim: ApiSim, tick: int, turn: Turn) -> EncodedViews:
    now = await sim.view()
    if tick == now.head.tick:
        return await sim.newest()
    found = sim.past.get(tick)
    if found is None:
        try:
            found = EncodedViews(await history.view_at(sim.redis, tick, now, turn=turn))
        except HistoryGone as error:
            first = (await history.get_range(sim.redis, sim.sim_id)).first
            detail = f"tick {tick} of sim {sim.sim_id} is not kept: {first} to {now.head.tick} are"
            raise ApiError(404, "No such tick", detail) from error
        if len(sim.past) >= _PAST_KEPT:
            del sim.past[next(iter(sim.past))]
        sim.past[tick] = found
    return found
