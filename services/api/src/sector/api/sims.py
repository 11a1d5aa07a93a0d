"""GET and POST /sims, GET /sims/{id} and POST /sims/{id}/fork: list sims, describe one, and request new ones."""

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
"""The maximum of objects in a body, above that of the largest map in 1 MB. An invalid object takes a microsecond."""
_MAX_FIELDS = 64
_ID = re.compile(SIM_ID)


class SimsEndpoint:
    """Lists sims, and requests new ones. A worker creates them."""

    def __init__(self, redis: Client, authenticator: Authenticator, max_sims: int) -> None:
        self._redis = redis
        self._max_sims = max_sims
        self._authenticator = authenticator
        self._validation = asyncio.Semaphore(1)

    async def get_all(self, request: Request) -> Response:
        """Answer with a page of sims, by id."""
        parameters = parse_query(request, "after", "limit")
        limit = parse_integer("limit", parameters.get("limit", "100"), 1, MAX_LIMIT)
        after = parameters.get("after")
        if after is not None and not _ID.fullmatch(after):
            raise invalid_query("after", f"{after[:40]!r} is not a sim id")
        ids = [sim_id for sim_id in await lifecycle.list_ids(self._redis) if after is None or sim_id > after]
        heads = await lifecycle.load_heads(self._redis, ids[:limit])
        sims: list[JsonValue] = [
            ({"id": sim_id, "status": "founding"} if head is None else {"id": sim_id, **_position(head)})
            for sim_id, head in zip(ids[:limit], heads, strict=True)
        ]
        return json_response({"sims": sims, "more": len(ids) > limit})

    async def get_one(self, request: Request, sim_id: str) -> Response:
        """Answer with the config of a sim, its position, and the ticks in its history."""
        parse_query(request)
        if not _ID.fullmatch(sim_id):
            raise SimNotFound(sim_id)
        try:
            available = await history.get_range(self._redis, sim_id)
            config, _ = await lifecycle.load_manifest(self._redis, sim_id)
        except SimNotFound:
            sim_request = await requests.get_request(self._redis, sim_id)
            if sim_request is None:
                raise
            fault = sim_request.fault
            status = {"status": "failed", "detail": fault} if fault else {"status": "founding"}
            return json_response({"id": sim_id, **status})
        details = {**_details(available), "config": config.model_dump(mode="json", exclude={"map"})}
        return json_response({"id": sim_id, **details})

    async def post(self, request: Request) -> Response:
        """Request a sim. Answer with 202, and the location where to poll its status."""
        bearer = self._authenticator.authenticate(request)
        bearer.check_may_create_sims()
        parse_query(request)
        new = await self._parse(NewSim, request)
        bearer.check_sim(new.id)
        key = _idempotency_key(request, bearer, "")
        if key is not None and await requests.is_repeated(self._redis, new.id, key):
            return _accepted(request, new.id, replayed=True)
        return await self._request(request, new.id, SimRequest(config=new.config), key)

    async def fork(self, request: Request, sim: ApiSim) -> Response:
        """Request a sim that begins in the state of this one at `tick`, by default the newest."""
        bearer = self._authenticator.authenticate(request)
        parameters = parse_query(request, "tick")
        bearer.check_may_create_sims()
        new = await self._parse(NewFork, request)
        bearer.check_sim(new.id)
        key = _idempotency_key(request, bearer, sim.sim_id)
        if key is not None and await requests.is_repeated(self._redis, new.id, key):
            return _accepted(request, new.id, replayed=True)
        available = await history.get_range(self._redis, sim.sim_id)
        newest = available.head.tick
        tick = parse_integer("tick", parameters.get("tick", str(newest)), 0, MAX_TICK)
        if not available.first <= tick <= newest:
            raise invalid_query("tick", f"tick {tick} is not in the history: use {available.first} to {newest}")
        return await self._request(request, new.id, SimRequest(fork_of=ForkOf(sim=sim.sim_id, tick=tick)), key)

    async def _request(
        self, request: Request, sim_id: str, sim_request: SimRequest, key: IdempotencyKey | None
    ) -> Response:
        try:
            await requests.request_sim(self._redis, sim_id, sim_request, key, max_sims=self._max_sims)
        except SimExists:
            # Two requests with the same key may be handled at the same time.
            if key is None or not await requests.is_repeated(self._redis, sim_id, key):
                raise
            return _accepted(request, sim_id, replayed=True)
        return _accepted(request, sim_id)

    async def _parse[M: BaseModel](self, model: type[M], request: Request) -> M:
        """Return the body as a model. A thread validates it, one body at a time: a map of 1 MB takes 100 ms. Raises ApiError."""
        async with self._validation:
            return await asyncio.to_thread(_validate, model, request)


def _position(head: Head) -> dict[str, JsonValue]:
    return {"status": head.status, "tick": head.tick, "at_ms": head.at_ms, "tick_length_ms": head.tick_length_ms}


def _details(available: HistoryRange) -> dict[str, JsonValue]:
    return {
        **_position(available.head),
        "state_hash": available.head.hash,
        "first_tick": available.first,
        "keyframes": list(available.keyframes),
    }


def _validate[M: BaseModel](model: type[M], request: Request) -> M:
    title = f"Invalid {'fork' if model is NewFork else 'sim'}"
    if (count := request.body.count(b"{") + request.body.count(b"[")) > _MAX_OBJECTS:
        message = f"it has {count} objects and lists, above the limit of {_MAX_OBJECTS}"
        raise invalid([{"field": "(body)", "message": message}], title)
    body = parse_json(request)
    if (fields := _count_fields(body)) > _MAX_FIELDS:
        message = f"an object has {fields} fields, above the limit of {_MAX_FIELDS}"
        raise invalid([{"field": "(body)", "message": message}], title)
    text = request.body
    if convert_whole_floats(body):
        text = json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise invalid(list_errors(error), title) from error


def _count_fields(body: JsonValue) -> int:
    """Return the number of fields of the largest object: each unknown field would be an error."""
    largest, stack = 0, [body]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            largest = max(largest, len(part))
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        stack += [each for each in inner if isinstance(each, dict | list)]
    return largest


def _idempotency_key(request: Request, bearer: Bearer, source: str) -> IdempotencyKey | None:
    """Return the idempotency key of a request for a sim; None if it has none. `source` is the sim that it forks. Raises ApiError."""
    key = idempotency_key(request)
    if not key:
        return None
    content = b"\0".join((source.encode(), request.query_string.encode(), request.body))
    return IdempotencyKey(bearer.subject, key, xxhash.xxh3_128_digest(content))


def _accepted(request: Request, sim_id: str, *, replayed: bool = False) -> Response:
    # The location is relative, because a proxy may serve the API below a path prefix.
    location = f"{'../' * (request.path.count('/') - 1)}sims/{sim_id}"
    headers = ((b"location", location.encode()), *(REPLAYED if replayed else ()))
    return json_response({"id": sim_id, "status": "founding"}, 202, headers=headers)
