"""Sims: founding one, and reading what never changes about it."""

import secrets
import time

from redis.asyncio import Redis

from sector.models import SimConfig
from sector.models.frame import digest
from sector.state.connect import as_bytes, as_list, borrowed, checked
from sector.state.errors import SimNotFound
from sector.state.head import FIELDS, Head
from sector.state.keys import SIMS, SimKeys
from sector.state.world import World


async def found[S](redis: Redis, sim_id: str, world: World[S], config: SimConfig) -> bool:
    """Found the sim unless it is there; say whether it was founded now. Of several that try at once, one does."""
    keys = SimKeys(sim_id)
    await redis.sadd(SIMS, sim_id)
    async with borrowed(redis) as link:
        _, fields = checked(await link.exchange(("WATCH", keys.head), ("HMGET", keys.head, *FIELDS)))
        if Head.parse(as_list(fields)) is not None:
            await link.exchange(("UNWATCH",))
            return False
        map_blob, snapshot = world.found(config)
        state_hash, now_ms = digest(snapshot), time.time_ns() // 1_000_000
        # The epoch may be there already, where a worker took the lease first: it only grows.
        epoch = int(as_bytes(as_list(fields)[FIELDS.index("epoch")]) or 0)
        head = Head(0, "0-0", state_hash, secrets.token_hex(8), epoch, now_ms, "running")
        *_, done = checked(
            await link.exchange(
                ("MULTI",),
                ("SET", keys.config, config.model_dump_json()),
                ("SET", keys.map, map_blob),
                ("SET", keys.snapshot, snapshot),
                ("HSET", keys.keyframes, "0", snapshot, "0:cursor", head.cursor),
                ("HSET", keys.head, *head.pairs()),
                ("EXEC",),
            )
        )
        return done is not None


async def read_founding(redis: Redis, sim_id: str) -> tuple[SimConfig, bytes]:
    """Return the config and the map of a sim. Raises SimNotFound."""
    keys = SimKeys(sim_id)
    async with borrowed(redis) as link:
        (found,) = checked(await link.exchange(("MGET", keys.config, keys.map)))
    config, map_blob = (as_bytes(value) for value in as_list(found))
    if config is None or map_blob is None:
        raise SimNotFound(sim_id)
    return SimConfig.model_validate_json(config), map_blob
