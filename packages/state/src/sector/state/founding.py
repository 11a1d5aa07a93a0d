"""Founding on request: who may not write a sim asks for one, and a worker that serves all sims founds it."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sector.models import SimConfig
from sector.models.names import SimId
from sector.state.admission import KEPT_MS
from sector.state.connect import Client
from sector.state.errors import (
    HistoryBroken,
    HistoryGone,
    KeyReused,
    RequestError,
    SimExists,
    SimImpossible,
    SimNotFound,
    StorageFull,
    TooManySims,
)
from sector.state.fork import fork
from sector.state.keys import SIMS, SimKeys
from sector.state.link import borrowed, call
from sector.state.memory import check_room_for_sim
from sector.state.replies import Reply, as_bytes, as_list, checked
from sector.state.sims import found, listed
from sector.state.world import World

MAX_SIMS = 1000
"""Sims there may be, by default, before requests for others are refused."""
_FAULT_KEPT_MS = 3600 * 1000


class ForkOf(BaseModel):
    """Where a fork begins: sim and tick."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sim: SimId
    tick: Annotated[int, Field(ge=0, lt=2**53)]


class Wish(BaseModel):
    """What was asked for: a sim of this config, or a fork. `fault`: why it could not be had."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    config: SimConfig | None = None
    fork_of: ForkOf | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key under which `issuer` sends a request once or several times. `digest`: of the request, so that another one is known."""

    issuer: str
    key: str
    digest: bytes


_ANY_SIM = SimKeys("")
"""Where keys lie that may come with requests for any sim; no sim has an empty id."""


async def is_repeated(redis: Client, sim_id: str, once: IdempotencyKey) -> bool:
    """Say whether this request created the sim already. Raises KeyReused if its key came with another request; RedisError."""
    digest = await call(redis, "GET", _ANY_SIM.created_by(once.issuer, once.key))
    if digest is not None and digest != once.digest:
        raise KeyReused(once.key)
    return await call(redis, "GET", SimKeys(sim_id).created_by(once.issuer, once.key)) == once.digest


async def ask(
    redis: Client, sim_id: str, wish: Wish, once: IdempotencyKey | None = None, *, max_sims: int = MAX_SIMS
) -> None:
    """Ask for the sim, and note under which key. Of requests at the same time, some may pass although they exceed `max_sims` together.

    Raises SimExists where there is one of that id, or one was asked for; TooManySims where there are `max_sims`; StorageFull;
    redis.exceptions.RedisError.
    """
    keys = SimKeys(sim_id)
    created_by = None if once is None else keys.created_by(once.issuer, once.key)
    noted: Reply = None
    async with borrowed(redis, keys.founding) as link:
        tick, wish_before = checked(await link.exchange(("HGET", keys.head, "tick"), ("GET", keys.founding)))
        before = await _parsed(sim_id, wish_before)
        if tick is not None or (before is not None and not before.fault):
            raise SimExists(sim_id)
        if len(await listed(redis)) >= max_sims:
            raise TooManySims(max_sims)
        await check_room_for_sim(link)
        # A failed request may be overwritten.
        condition = ("NX",) if before is None else ()
        text = await asyncio.to_thread(wish.model_dump_json, exclude_unset=True)
        request = ("SET", keys.founding, text, *condition)
        if once is None or created_by is None:
            (done,) = checked(await link.exchange(request))
        else:
            # Both or none: a retry finds the key wherever the first response was lost.
            note = ("SET", created_by, once.digest, "NX", "PX", KEPT_MS)
            *_, replies = checked(await link.exchange(("MULTI",), request, note, ("EXEC",)))
            done, noted = as_list(replies)
    if done is None:
        if created_by is not None and noted is not None:
            # Another request, with another key, came in between.
            await call(redis, "SET", created_by, b"", "PX", 1)
        raise SimExists(sim_id)
    await call(redis, "SADD", SIMS, sim_id)
    if once is not None:
        # Last, and for created sims only: requests that are refused store nothing.
        used = _ANY_SIM.created_by(once.issuer, once.key)
        await call(redis, "SET", used, once.digest, "NX", "PX", KEPT_MS)


async def asked(redis: Client, sim_id: str) -> Wish | None:
    """Return what was asked for and is not there yet. Raises RequestError, redis.exceptions.RedisError."""
    return await _parsed(sim_id, await call(redis, "GET", SimKeys(sim_id).founding))


async def _parsed(sim_id: str, reply: Reply) -> Wish | None:
    wish = as_bytes(reply)
    try:
        # In a thread: a map of 1 MB takes some 50 ms.
        return None if wish is None else await asyncio.to_thread(Wish.model_validate_json, wish)
    except ValidationError as error:
        raise RequestError(sim_id) from error


async def carry_out[S](redis: Client, sim_id: str, world: World[S]) -> str:
    """Found the sim if it was asked for; returns what was done in words, or nothing. Where it cannot be had, the wish says why."""
    wish, keys = await asked(redis, sim_id), SimKeys(sim_id)
    if wish is None or wish.fault:
        return ""
    try:
        if wish.fork_of is not None:
            async with borrowed(redis, keys.head) as link:
                await check_room_for_sim(link)
            await fork(redis, wish.fork_of.sim, wish.fork_of.tick, sim_id)
            done = f"forked from {wish.fork_of.sim} at tick {wish.fork_of.tick}"
        else:
            now = await found(redis, sim_id, world, wish.config or SimConfig())
            done = "founded as asked for" if now else ""
    except SimExists:
        done = ""
    except (SimNotFound, HistoryGone, HistoryBroken, SimImpossible, StorageFull) as error:
        failed = wish.model_copy(update={"fault": str(error)}).model_dump_json(exclude_unset=True)
        await call(redis, "SET", keys.founding, failed, "PX", _FAULT_KEPT_MS)
        await call(redis, "SREM", SIMS, sim_id)
        return f"could not be had: {error}"
    await call(redis, "DEL", keys.founding)
    return done
