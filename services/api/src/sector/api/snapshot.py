"""GET /snapshot and GET /map: the state as rows or as columns, now or at an earlier tick."""

from sanic import Request

from sector.api.api_sim import ApiSim
from sector.api.encoded_views import SNAPSHOT_FORMATS, Coding, EncodedViews, Format, negotiate_encoding
from sector.api.problems import ApiError, invalid_query
from sector.api.query_params import MAX_TICK, parse_integer, parse_query
from sector.api.request_throttle import RequestThrottle, Turn
from sector.api.responses import Headers, Response
from sector.state.errors import HistoryGone
from sector.state.history import history

_MAX_EARLIER_VIEWS = 16


async def get_snapshot(throttle: RequestThrottle, request: Request, sim: ApiSim) -> Response:
    """Answer with the state, or 304 if the client has it."""
    if not request.query_string:
        return await _respond(request, await sim.newest_views(), "rows")
    parameters = parse_query(request, "format", "tick")
    form = next((each for each in SNAPSHOT_FORMATS if each == parameters.get("format", "rows")), None)
    if form is None:
        raise invalid_query("format", f"{parameters['format']!r} is not rows or columns")
    if "tick" not in parameters:
        return await _respond(request, await sim.newest_views(), form)
    tick = parse_integer("tick", parameters["tick"], 0, MAX_TICK)
    return await _respond(request, await _views_at(sim, tick, throttle.turn_of(request)), form)


async def get_map(request: Request, sim: ApiSim) -> Response:
    """Answer with the part of the state that never changes, or 304 if the client has it."""
    parse_query(request)
    return await _respond(request, await sim.newest_views(), "map")


async def _respond(request: Request, views: EncodedViews, form: Format) -> Response:
    coding: Coding = negotiate_encoding(request.headers.getone("accept-encoding", ""))
    etag = views.etag(form, coding)
    headers: Headers = ((b"etag", etag.encode()), (b"cache-control", b"no-cache"), (b"vary", b"accept-encoding"))
    if_none_match = request.headers.getone("if-none-match", None)
    if if_none_match is not None and (if_none_match == etag or _matches(etag, if_none_match)):
        return Response(b"", 304, content_type=b"", headers=headers)
    body = await views.get(form, coding)
    if coding != "identity":
        headers += ((b"content-encoding", coding.encode()),)
    return Response(body, headers=headers)


def _matches(etag: str, if_none_match: str) -> bool:
    # Comparison is weak (RFC 9110, 13.1.2).
    etags = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return etag in etags or "*" in etags


async def _views_at(sim: ApiSim, tick: int, turn: Turn) -> EncodedViews:
    newest = await sim.view()
    if tick == newest.head.tick:
        return await sim.newest_views()
    views = sim.views_by_tick.get(tick)
    if views is None:
        try:
            views = EncodedViews(await history.view_at(sim.redis, tick, newest, turn=turn))
        except HistoryGone as error:
            first = (await history.get_range(sim.redis, sim.sim_id)).first
            detail = f"tick {tick} of sim {sim.sim_id} is not in the history: use {first} to {newest.head.tick}"
            raise ApiError(404, "The tick is not in the history", detail) from error
        if len(sim.views_by_tick) >= _MAX_EARLIER_VIEWS:
            del sim.views_by_tick[next(iter(sim.views_by_tick))]
        sim.views_by_tick[tick] = views
    return views
