"""Sims: founding one, listing them, reading what never changes about one, and removing one."""

import secrets
import time
from collections.abc import Sequence

from pydantic import ValidationError

from sector.models import SimConfig
from sector.models.frame import digest
from sector.state.connect import Client, Cluster
from sector.state.errors import SimNotFound, StateError
from sector.state.head import FIELDS, Head
from sector.state.keys import SIMS, SimKeys
from sector.state.link import Command, borrowed, call
from sector.state.replies import as_bytes, as_list, checked
from sector.state.world import World


async def listed(redis: Client) -> list[str]:
    """Return the ids of all sims, sorted."""
    return sorted((as_bytes(each) or b"").decode() for each in as_list(await call(redis, "SMEMBERS", SIMS)))


async def heads(redis: Client, sim_ids: Sequence[str]) -> list[Head | None]:
    """Return the head of each sim; None where it is not founded."""
    if isinstance(redis, Cluster):
        return [Head.parse(as_list(await call(redis, "HMGET", SimKeys(each).head, *FIELDS))) for each in sim_ids]
    if not sim_ids:
        return []
    async with borrowed(redis, SIMS) as link:
        replies = checked(await link.exchange(*(("HMGET", SimKeys(each).head, *FIELDS) for each in sim_ids)))
    return [Head.parse(as_list(fields)) for fields in replies]


async def found[S](redis: Client, sim_id: str, world: World[S], config: SimConfig) -> bool:
    """Found the sim unless it is there; say whether it was founded now. Of several that try at once, one does."""
    founded = await _found(redis, sim_id, world, config)
    # Listed last: who finds it in the list finds it whole.
    await call(redis, "SADD", SIMS, sim_id)
    return founded


async def _found[S](redis: Client, sim_id: str, world: World[S], config: SimConfig) -> bool:
    keys, made = SimKeys(sim_id), None
    async with borrowed(redis, keys.head) as link:
        while True:
            _, fields = checked(await link.exchange(("WATCH", keys.head), ("HMGET", keys.head, *FIELDS)))
            if Head.parse(as_list(fields)) is not None:
                checked(await link.exchange(("UNWATCH",)))
                return False
            map_blob, snapshot = made = made or world.found(config)
            # The epoch may be there already, where a worker took the lease first: it only grows.
            epoch = int(as_bytes(as_list(fields)[FIELDS.index("epoch")]) or 0)
            head = first_head(0, digest(snapshot), epoch, "running")
            begin = begin_with(keys, head, config, map_blob, snapshot)
            *_, done = checked(await link.exchange(("MULTI",), *begin, ("EXEC",)))
            if done is not None:
                return True


def first_head(tick: int, state_hash: str, epoch: int, status: str) -> Head:
    """Return the head of a sim that begins at `tick`, with no order applied yet."""
    return Head(tick, "0-0", state_hash, secrets.token_hex(8), epoch, time.time_ns() // 1_000_000, status, 0)


def begin_with(keys: SimKeys, head: Head, config: SimConfig, map_blob: bytes, snapshot: bytes) -> list[Command]:
    """Return the commands that make a sim begin at `head`, its snapshot being its first keyframe."""
    return [
        ("SET", keys.config, config.model_dump_json()),
        ("SET", keys.map, map_blob),
        ("SET", keys.snapshot, snapshot),
        ("HSET", keys.keyframes, head.tick, snapshot, f"{head.tick}:cursor", head.cursor),
        ("HSET", keys.head, *head.pairs()),
    ]


async def read_founding(redis: Client, sim_id: str) -> tuple[SimConfig, bytes]:
    """Return the config and the map of a sim. Raises SimNotFound; StateError where this version cannot read the config."""
    keys = SimKeys(sim_id)
    config, map_blob = (as_bytes(value) for value in as_list(await call(redis, "MGET", keys.config, keys.map)))
    if config is None or map_blob is None:
        raise SimNotFound(sim_id)
    try:
        return SimConfig.model_validate_json(config), map_blob
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "JSON"
        raise StateError(f"the config of sim {sim_id!r} cannot be read: {field}: {first['msg']}") from error


async def remove(redis: Client, sim_id: str) -> None:
    """Remove a sim with all that is kept of it. A worker that ticks it notices, and commits no more. Raises SimNotFound."""
    keys = SimKeys(sim_id)
    async with borrowed(redis, keys.head) as link:
        *_, done = checked(await link.exchange(("MULTI",), ("EXISTS", keys.head), ("DEL", *keys.all), ("EXEC",)))
    was_listed = await call(redis, "SREM", SIMS, sim_id)
    if not as_list(done)[0] and not was_listed:
        raise SimNotFound(sim_id)
