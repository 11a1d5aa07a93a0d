"""GET and POST /sims, and POST /sims/{id}/fork: which sims there are, and others asked for."""

import asyncio
import json
import re

import xxhash
from pydantic import BaseModel, JsonValue, ValidationError
from sanic import Request

from sector.api.api_sim import ApiSim
from sector.api.authentication import Authenticator, Bearer
from sector.api.idempotency import REPLAYED, idempotency_key
from sector.api.json_body import convert_whole_floats, parse_json
from sector.api.problems import invalid, invalid_query, list_errors
from sector.api.query_params import MAX_LIMIT, MAX_TICK, parse_integer, parse_query
from sector.api.responses import Response, json_response
from sector.models.field_types import SIM_ID
from sector.models.responses import NewFork, NewSim
from sector.state.errors import SimExists, SimNotFound
from sector.state.history import history
from sector.state.history.history import HistoryRange
from sector.state.redis.client import Client
from sector.state.sims import lifecycle, requests
from sector.state.sims.requests import ForkOf, SimRequest
from sector.state.sims.reservation import IdempotencyKey
from sector.state.tick.head import Head

_MAX_OBJECTS = 60_000
"""In a body: more than the largest map has that fits into 1 MB. Each invalid one takes a microsecond, while other requests wait."""
_MAX_FIELDS = 64
_VALIDATING = asyncio.Semaphore(1)
_ID = re.compile(SIM_ID)


class SimsEndpoint:
    """Lists sims, and asks for new ones."""

    def __init__(self, redis: Client, authenticator: Authenticator, max_sims: int) -> None:
        self._redis = redis
        self._max_sims = max_sims
        self._authenticator = authenticator

    async def get_all(self, request: Request) -> Response:
        """Answer with a page of sims, by id."""
        asked = parse_query(request, "after", "limit")
        limit = parse_integer("limit", asked.get("limit", "100"), 1, MAX_LIMIT)
        after = asked.get("after")
        if after is not None and not _ID.fullmatch(after):
            raise invalid_query("after", f"{after[:40]!r} is not the id of a sim")
        listed = [sim_id for sim_id in await lifecycle.list_ids(self._redis) if after is None or sim_id > after]
        heads = await lifecycle.load_heads(self._redis, listed[:limit])
        told: list[JsonValue] = [
            ({"id": sim_id, "status": "founding"} if head is None else {"id": sim_id, **_head(head)})
            for sim_id, head in zip(listed[:limit], heads, strict=True)
        ]
        return json_response({"sims": told, "more": len(listed) > limit})

    async def get_one(self, request: Request, sim_id: str) -> Response:
        """Answer with what there is to know of a sim: its config, where it is, and which ticks are kept."""
        parse_query(request)
        if not _ID.fullmatch(sim_id):
            raise SimNotFound(sim_id)
        try:
            there = await history.get_range(self._redis, sim_id)
            config, _ = await lifecycle.load_manifest(self._redis, sim_id)
        except SimNotFound:
            wish = await requests.get_request(self._redis, sim_id)
            if wish is None:
                raise
            failed = {"status": "failed", "detail": wish.fault} if wish.fault else {"status": "founding"}
            return json_response({"id": sim_id, **failed})
        return json_response({"id": sim_id, **_told(there), "config": config.model_dump(mode="json", exclude={"map"})})

    async def post(self, request: Request) -> Response:
        """Ask for a sim: 202, and where to see what becomes of it."""
        bearer = self._authenticator.authenticate(request)
        bearer.check_may_found()
        parse_query(request)
        new = await _valid(NewSim, request)
        bearer.check_sim(new.id)
        once = _once(request, bearer, "")
        if once is not None and await requests.is_repeated(self._redis, new.id, once):
            return _asked_for(request, new.id, repeated=True)
        return await self._ask(request, new.id, SimRequest(config=new.config), once)

    async def fork(self, request: Request, sim: ApiSim) -> Response:
        """Ask for a sim that begins where this one was at `tick`, by default now."""
        bearer = self._authenticator.authenticate(request)
        asked = parse_query(request, "tick")
        bearer.check_may_found()
        new = await _valid(NewFork, request)
        bearer.check_sim(new.id)
        once = _once(request, bearer, sim.sim_id)
        if once is not None and await requests.is_repeated(self._redis, new.id, once):
            return _asked_for(request, new.id, repeated=True)
        there = await history.get_range(self._redis, sim.sim_id)
        tick = parse_integer("tick", asked.get("tick", str(there.head.tick)), 0, MAX_TICK)
        if not there.first <= tick <= there.head.tick:
            raise invalid_query("tick", f"{tick} is not kept: {there.first} to {there.head.tick} are")
        return await self._ask(request, new.id, SimRequest(fork_of=ForkOf(sim=sim.sim_id, tick=tick)), once)

    async def _ask(self, request: Request, sim_id: str, wish: SimRequest, once: IdempotencyKey | None) -> Response:
        try:
            await requests.request_sim(self._redis, sim_id, wish, once, max_sims=self._max_sims)
        except SimExists:
            # The same request may have come twice at the same time.
            if once is None or not await requests.is_repeated(self._redis, sim_id, once):
                raise
            return _asked_for(request, sim_id, repeated=True)
        return _asked_for(request, sim_id)


def _head(head: Head) -> dict[str, JsonValue]:
    length_ms = None if head.tick_length_ms < 0 else head.tick_length_ms
    return {"status": head.status, "tick": head.tick, "at_ms": head.at_ms, "tick_length_ms": length_ms}


def _told(there: HistoryRange) -> dict[str, JsonValue]:
    return {
        **_head(there.head),
        "state_hash": there.head.hash,
        "first_tick": there.first,
        "keyframes": list(there.keyframes),
    }


async def _valid[M: BaseModel](model: type[M], request: Request) -> M:
    """Return the body as a model, made in a thread: a map of 1 MB takes some 100 ms. Raises Problem."""
    async with _VALIDATING:
        return await asyncio.to_thread(_validate, model, request)


def _validate[M: BaseModel](model: type[M], request: Request) -> M:
    title = f"Not a valid {'fork' if model is NewFork else 'sim'}"
    if (count := request.body.count(b"{") + request.body.count(b"[")) > _MAX_OBJECTS:
        message = f"it has {count} objects and lists, and may have {_MAX_OBJECTS}"
        raise invalid([{"field": "(body)", "message": message}], title)
    body = parse_json(request)
    if (fields := _most_fields(body)) > _MAX_FIELDS:
        message = f"an object has {fields} fields, and may have {_MAX_FIELDS}"
        raise invalid([{"field": "(body)", "message": message}], title)
    text = request.body
    if convert_whole_floats(body):
        text = json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise invalid(list_errors(error), title) from error


def _most_fields(body: JsonValue) -> int:
    """Return how many fields the largest object has: each unknown one would be an error."""
    most, stack = 0, [body]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            most = max(most, len(part))
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        stack += [each for each in inner if isinstance(each, dict | list)]
    return most


def _once(request: Request, bearer: Bearer, source: str) -> IdempotencyKey | None:
    """Return the idempotency key of a request, None without one. `source`: the sim that it forks. Raises Problem."""
    key = idempotency_key(request)
    if not key:
        return None
    asked = b"\0".join((source.encode(), request.query_string.encode(), request.body))
    return IdempotencyKey(bearer.subject, key, xxhash.xxh3_128_digest(asked))


def _asked_for(request: Request, sim_id: str, *, repeated: bool = False) -> Response:
    # Relative: a proxy may serve the API under a path of its own.
    location = f"{'../' * (request.path.count('/') - 1)}sims/{sim_id}"
    headers = ((b"location", location.encode()), *(REPLAYED if repeated else ()))
    return json_response({"id": sim_id, "status": "founding"}, 202, headers=headers)
