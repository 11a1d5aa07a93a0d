"""Requests for sims.

A process without the right to create sims stores a request, and a worker that serves all sims creates the sim.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sector.models import SimConfig
from sector.models.deprecated_names import deprecated_names
from sector.models.field_types import SimId
from sector.state.errors import (
    HistoryBroken,
    HistoryGone,
    RequestError,
    SimExists,
    SimImpossible,
    SimNotFound,
    StorageFull,
    TooManySims,
)
from sector.state.keys import SIMS, SimKeys
from sector.state.log.admission import KEPT_MS
from sector.state.redis.client import Client
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import acquire_connection, execute
from sector.state.redis.memory import check_room_for_sim
from sector.state.redis.replies import Reply, as_bytes, as_list, checked
from sector.state.sims.fork import fork
from sector.state.sims.lifecycle import create, list_ids
from sector.state.sims.reservation import IdempotencyKey, check_key, confirm, release, reserve
from sector.state.world import World

MAX_SIMS = 1000
"""The default limit of sims. Requests for more are rejected."""
_FAULT_RETENTION_MS = 3600 * 1000


class ForkOf(BaseModel):
    """Where a fork begins: the sim and the tick."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sim: SimId
    tick: Annotated[int, Field(ge=0, lt=2**53)]


class SimRequest(BaseModel):
    """A stored request for a sim with a config, or for a fork. `fault`: why its creation failed, or ""."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    config: SimConfig | None = None
    fork_of: ForkOf | None = None
    fault: str | None = None


async def is_repeated(redis: Client, sim_id: str, once: IdempotencyKey) -> bool:
    """Say whether this request has already created the sim.

    Raises IdempotencyConflict if its key was used for another request, or redis.exceptions.RedisError.
    """
    await check_key(redis, once)
    if await execute(redis, "GET", SimKeys(sim_id).creation_key(once.issuer, once.key)) != once.digest:
        return False
    # The first attempt may have been interrupted before these steps.
    await _list_if_missing(redis, sim_id)
    await confirm(redis, once)
    return True


async def request_sim(
    redis: Client, sim_id: str, request: SimRequest, once: IdempotencyKey | None = None, *, max_sims: int = MAX_SIMS
) -> None:
    """Store a request for a sim with its idempotency key. Concurrent requests may exceed `max_sims` slightly.

    Raises SimExists if the sim exists or was requested before, IdempotencyConflict if the key was used for another
    request, TooManySims, StorageFull, or redis.exceptions.RedisError.
    """
    keys = SimKeys(sim_id)
    async with acquire_connection(redis, keys.request) as connection:
        tick, stored = checked(await connection.pipeline(("HGET", keys.head, "tick"), ("GET", keys.request)))
        earlier = await _parse(sim_id, stored)
        if tick is not None or (earlier is not None and not earlier.fault):
            await _list_if_missing(redis, sim_id)
            raise SimExists(sim_id)
        if len(await list_ids(redis)) >= max_sims:
            raise TooManySims(max_sims)
        await check_room_for_sim(connection)
    text = await asyncio.to_thread(request.model_dump_json, exclude_unset=True)
    commands: list[Command] = [("SET", keys.request, text)]
    if once is not None:
        await reserve(redis, once)
        # The same transaction stores the key, so that a retry recognises it if the first response was lost.
        commands.append(("SET", keys.creation_key(once.issuer, once.key), once.digest, "NX", "PX", KEPT_MS))
    # If this raises, the outcome is unknown, and the key stays reserved for this request.
    if not await _replace(redis, keys.request, stored, commands):
        if once is not None:
            await release(redis, once)
        raise SimExists(sim_id)
    await execute(redis, "SADD", SIMS, sim_id)
    if once is not None:
        await confirm(redis, once)


async def _replace(redis: Client, key: str, stored: Reply, commands: Sequence[Command]) -> bool:
    """Execute the commands if the value of the key is still `stored`.

    Of concurrent requests for one sim, only one succeeds.
    """
    async with acquire_connection(redis, key) as connection:
        _, current = checked(await connection.pipeline(("WATCH", key), ("GET", key)))
        if current != stored:
            # An empty transaction ends WATCH, because the user of the API may not UNWATCH.
            checked(await connection.pipeline(("MULTI",), ("EXEC",)))
            return False
        *_, replies = checked(await connection.pipeline(("MULTI",), *commands, ("EXEC",)))
    if replies is None:
        return False
    checked(as_list(replies))
    return True


async def _list_if_missing(redis: Client, sim_id: str) -> None:
    """Add a requested sim to the list of sims if it is missing, because the request was interrupted.

    Otherwise no worker sees it.
    """
    if sim_id in await list_ids(redis):
        return
    request = await get_request(redis, sim_id)
    if request is not None and not request.fault:
        await execute(redis, "SADD", SIMS, sim_id)


async def get_request(redis: Client, sim_id: str) -> SimRequest | None:
    """Return the request for a sim that does not exist yet, or None.

    Raises RequestError or redis.exceptions.RedisError.
    """
    return await _parse(sim_id, await execute(redis, "GET", SimKeys(sim_id).request))


async def _parse(sim_id: str, reply: Reply) -> SimRequest | None:
    request = as_bytes(reply)
    try:
        # Parsing runs in a thread: a map of 1 MB takes about 50 ms.
        return None if request is None else await asyncio.to_thread(SimRequest.model_validate_json, request)
    except ValidationError as error:
        raise RequestError(sim_id) from error


async def reconcile[S](redis: Client, sim_id: str, world: World[S]) -> str | None:
    """Create the sim if it was requested. Return a text for the log, or None if nothing was done.

    If the creation fails, the reason is stored in the request.
    """
    request, keys = await get_request(redis, sim_id), SimKeys(sim_id)
    if request is None or request.fault:
        return None
    try:
        if request.fork_of is not None:
            async with acquire_connection(redis, keys.head) as connection:
                await check_room_for_sim(connection)
            await fork(redis, request.fork_of.sim, request.fork_of.tick, sim_id)
            done: str | None = f"forked from {request.fork_of.sim} at tick {request.fork_of.tick}"
        else:
            now = await create(redis, sim_id, world, request.config or SimConfig())
            done = "created on request" if now else None
    except SimExists:
        done = None
    except (SimNotFound, HistoryGone, HistoryBroken, SimImpossible, StorageFull) as error:
        failed = request.model_copy(update={"fault": str(error)}).model_dump_json(exclude_unset=True)
        await execute(redis, "SET", keys.request, failed, "PX", _FAULT_RETENTION_MS)
        await execute(redis, "SREM", SIMS, sim_id)
        return f"failed: {error}"
    await execute(redis, "DEL", keys.request)
    return done


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__, {"Wish": "SimRequest", "ask": "request_sim", "asked": "get_request", "carry_out": "reconcile"}
    )
