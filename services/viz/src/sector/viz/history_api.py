"""The history over HTTP: the sims, the timeline of each, the state at a tick, and the deltas and events of ticks."""

import asyncio
import gzip
import math
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial, wraps
from http import HTTPStatus

import orjson
from pydantic import JsonValue
from redis.exceptions import RedisError
from sanic import HTTPResponse, Request
from sanic.response import raw

from sector.models.delta import DeltaError
from sector.models.field_types import SIM_ID
from sector.models.frame import FrameError
from sector.process import App
from sector.process.client_networks import client_network
from sector.process.content_encoding import negotiate_encoding
from sector.process.fair_queue import FairQueue, FairQueueFull
from sector.process.http_errors import HttpError
from sector.process.problem_documents import problem
from sector.process.request_limits import RequestLimits, TooManyRequests, units
from sector.state.errors import HistoryGone, SimNotFound, StateError
from sector.state.history import history
from sector.state.redis.client import Client
from sector.state.redis.error_messages import describe
from sector.state.sims import lifecycle
from sector.viz.tick_codec import CONTENT_TYPE, encode_tick, encode_tick_events
from sector.viz.timeline import TimelineCache

MAX_TICKS = 200
_SMALL = 1024
_LARGE = 64 * 2**10
"""Bodies of this size or more are compressed in a thread: a megabyte takes about 20 ms."""
_ID = re.compile(SIM_ID)
_DEPRECATION = f"@{int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())}"


type Handler = Callable[..., Coroutine[object, object, HTTPResponse]]


class HistoryApi:
    """The endpoints that the page reads to show past ticks."""

    def __init__(self, redis: Client, limits: RequestLimits) -> None:
        self._redis = redis
        self._limits = limits
        self._timelines = TimelineCache(redis)
        self._turns = FairQueue()

    @asynccontextmanager
    async def _turn(self, request: Request) -> AsyncIterator[None]:
        """Wait for a turn of the client, hold it during the block, and charge the client for its time. Raises FairQueueFull."""
        address = _address(request)
        async with self._turns.turn(client_network(address)):
            began_s = time.monotonic()
            try:
                yield
            finally:
                self._limits.charge(None, address, units(0, 0, time.monotonic() - began_s))

    def _limited(self, handler: Handler) -> Handler:
        """Return a handler that refuses clients over their rate limit, and charges the others for the bytes of the response."""

        @wraps(handler)
        async def limited(request: Request, **path: str) -> HTTPResponse:
            self._limits.check(None, _address(request))
            response = await handler(request, **path)
            self._limits.charge(None, _address(request), units(0, len(response.body or b"")))
            return response

        return limited

    def serve(self, app: App) -> None:
        """Add the endpoints."""
        app.add_route(self._limited(self.all_sims), "/sims")
        app.add_route(self._limited(self.timeline), "/sims/<sim_id>/timeline")
        app.add_route(self._limited(self.course), "/sims/<sim_id>/course")
        app.add_route(self._limited(self.state), "/sims/<sim_id>/state")
        app.add_route(self._limited(self.ticks), "/sims/<sim_id>/ticks")
        for error in (StateError, FrameError, DeltaError, FairQueueFull, TooManyRequests, RedisError):
            app.error_handler.add(error, _problem)

    async def all_sims(self, request: Request) -> HTTPResponse:
        """Respond with the sims: id, status and tick of each."""
        sim_ids = await lifecycle.list_ids(self._redis)
        heads = await lifecycle.load_heads(self._redis, sim_ids)
        sims: list[JsonValue] = [
            {"id": sim_id, "status": head.status, "tick": head.tick, "at_ms": head.at_ms}
            for sim_id, head in zip(sim_ids, heads, strict=True)
            if head is not None
        ]
        return await _respond(request, orjson.dumps({"sims": sims}), "application/json")

    async def timeline(self, request: Request, sim_id: str) -> HTTPResponse:
        """Respond with the timeline of a sim, as `TimelineCache.load` describes it."""
        async with self._turn(request):
            timeline = await self._timelines.load(_check_id(sim_id))
        return await _respond(request, await asyncio.to_thread(orjson.dumps, timeline), "application/json")

    async def course(self, request: Request, sim_id: str) -> HTTPResponse:
        """Respond as `timeline` does. This is the path of version 0.11, so a header marks it as deprecated (RFC 9745)."""
        response = await self.timeline(request, sim_id)
        response.headers["Deprecation"] = _DEPRECATION
        response.headers["Link"] = '<timeline>; rel="successor-version"'
        return response

    async def state(self, request: Request, sim_id: str) -> HTTPResponse:
        """Respond with the moment of `tick`: its state and its events."""
        tick = _parse_number(request, "tick")
        past = await history.at_tick(self._redis, _check_id(sim_id), tick, turn=partial(self._turn, request))
        entries = await history.ticks(self._redis, sim_id, tick - 1, tick)
        events, at_ms, epoch = (entries[0].events_frame, entries[0].at_ms, entries[0].epoch) if entries else (b"", 0, 0)
        return await _respond(
            request, encode_tick(await asyncio.to_thread(past.snapshot), events, at_ms, epoch), CONTENT_TYPE
        )

    async def ticks(self, request: Request, sim_id: str) -> HTTPResponse:
        """Respond with the moments of up to `limit` ticks after `after`: the delta and the events of each tick in the history."""
        after, limit = _parse_number(request, "after"), _parse_number(request, "limit", MAX_TICKS)
        if not 1 <= limit <= MAX_TICKS:
            raise HttpError(HTTPStatus.BAD_REQUEST, f"limit: {limit} is not a number from 1 to {MAX_TICKS}")
        async with self._turn(request):
            entries = await history.ticks(self._redis, _check_id(sim_id), after, after + limit)
        if not entries:
            # Raises SimNotFound for an unknown sim.
            await history.get_range(self._redis, sim_id)
        return await _respond(request, b"".join(map(encode_tick_events, entries)), CONTENT_TYPE)


def _address(request: Request) -> str:
    return request.client_ip or request.ip


def _check_id(sim_id: str) -> str:
    if not _ID.fullmatch(sim_id):
        raise SimNotFound(sim_id[:63])
    return sim_id


def _parse_number(request: Request, name: str, default: int | None = None) -> int:
    text = request.args.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isdecimal() or len(text) > 15:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"{name}: {(text or '')[:40]!r} is not a number from 0")
    return int(text)


async def _respond(request: Request, body: bytes, kind: str) -> HTTPResponse:
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if len(body) > _SMALL and negotiate_encoding(request.headers.get("accept-encoding", ""), ("gzip",)):
        headers["Content-Encoding"] = "gzip"
        body = await asyncio.to_thread(_compress, body) if len(body) > _LARGE else _compress(body)
    return raw(body, content_type=kind, headers=headers)


def _compress(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=5, mtime=0)


def _problem(
    _: Request, error: StateError | FrameError | DeltaError | FairQueueFull | TooManyRequests | RedisError
) -> HTTPResponse:
    headers = None
    match error:
        case TooManyRequests():
            wait_s = math.ceil(error.retry_after_s)
            status, detail, headers = (
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{error}: try again in {wait_s} s",
                {"Retry-After": str(wait_s)},
            )
        case SimNotFound() | HistoryGone():
            status, detail = HTTPStatus.NOT_FOUND, str(error)
        case FairQueueFull():
            status, detail = HTTPStatus.SERVICE_UNAVAILABLE, f"{error}: try again in 1 s"
        case RedisError():
            status, detail = HTTPStatus.SERVICE_UNAVAILABLE, describe(error)
        case _:
            status, detail = HTTPStatus.SERVICE_UNAVAILABLE, str(error)
    return problem(status, detail, headers)
