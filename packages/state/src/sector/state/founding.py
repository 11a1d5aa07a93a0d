"""Founding on request: who may not write a sim asks for one, and a worker that serves all sims founds it."""

import asyncio
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sector.models import SimConfig
from sector.models.names import SimId
from sector.state.connect import Client
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
from sector.state.fork import fork
from sector.state.keys import SIMS, SimKeys
from sector.state.link import borrowed, call
from sector.state.memory import check_room_for_sim
from sector.state.replies import Reply, as_bytes, checked
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


async def ask(redis: Client, sim_id: str, wish: Wish, *, max_sims: int = MAX_SIMS) -> None:
    """Ask for the sim. Of requests at the same time, some may pass although they come to more than `max_sims` together.

    Raises SimExists where there is one of that id, or one was asked for; TooManySims where there are `max_sims`; StorageFull;
    redis.exceptions.RedisError.
    """
    keys = SimKeys(sim_id)
    async with borrowed(redis, keys.founding) as link:
        tick, wish_before = checked(await link.exchange(("HGET", keys.head, "tick"), ("GET", keys.founding)))
        before = await _parsed(sim_id, wish_before)
        if tick is not None or (before is not None and not before.fault):
            raise SimExists(sim_id)
        if len(await listed(redis)) >= max_sims:
            raise TooManySims(max_sims)
        await check_room_for_sim(link)
        anew = ("NX",) if before is None else ()
        text = await asyncio.to_thread(wish.model_dump_json, exclude_unset=True)
        (done,) = checked(await link.exchange(("SET", keys.founding, text, *anew)))
    if done is None:
        raise SimExists(sim_id)
    await call(redis, "SADD", SIMS, sim_id)


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
