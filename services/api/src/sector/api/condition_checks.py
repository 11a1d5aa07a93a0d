"""Checks of the conditions in /health: durability, writes to Redis, and the key file."""

import asyncio

from redis.exceptions import RedisError

from sector.api.keyring import KeyRing
from sector.process import Health, wait_for_stop
from sector.state.errors import NotDurable
from sector.state.redis.client import Client
from sector.state.redis.durability import Durability
from sector.state.redis.error_messages import describe
from sector.state.redis.health import RedisHealth

DURABILITY = "durability"
KEYS = "keys"
_INTERVAL_S = 1.0


async def check_writes(stop: asyncio.Event, redis_health: RedisHealth) -> None:
    """Check until `stop` whether Redis takes writes."""
    while not await wait_for_stop(stop, _INTERVAL_S):
        await redis_health.check()


async def check_keys(stop: asyncio.Event, ring: KeyRing, health: Health) -> None:
    """Read the key file again when it changes, and report its fault. The API stays ready, because most requests need no token."""
    while ring.reads_file and not stop.is_set():
        await ring.refresh()
        if ring.fault is not None:
            health.set_error(KEYS, ring.fault, blocks=False)
        else:
            health.set_ok(KEYS)
        await wait_for_stop(stop, _INTERVAL_S)


async def check_durability(
    stop: asyncio.Event, redis: Client, durability: Durability, sim_id: str, health: Health
) -> None:
    """Check until `stop` whether Redis can confirm the required durability. Its other faults are those of the sim watcher."""
    while not stop.is_set():
        try:
            await durability.probe(redis, sim_id)
            health.set_ok(DURABILITY)
        except NotDurable as error:
            health.set_error(DURABILITY, str(error), cause=str(error.__cause__ or ""))
        except RedisError as error:
            health.set_error(DURABILITY, describe(error), cause=f"{type(error).__name__}: {error}")
        await wait_for_stop(stop, _INTERVAL_S)
