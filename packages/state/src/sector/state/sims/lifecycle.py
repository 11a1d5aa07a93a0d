"""The lifecycle of sims: create, list, load the manifest (config and map), and delete."""

import logging
import re
import secrets
import time
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import ValidationError
from redis.exceptions import ResponseError

from sector.models import SimConfig
from sector.models.deprecated_names import deprecated_names
from sector.models.error_texts import describe_error
from sector.models.field_types import SIM_ID
from sector.models.frame import digest
from sector.models.step import WorldConfigError
from sector.state.errors import HeadError, SimImpossible, SimNotFound, StateError
from sector.state.history.retention import KeyframeMark, write_keyframe
from sector.state.keys import SIMS, SimKeys
from sector.state.redis.client import Client, Cluster
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import acquire_connection, execute
from sector.state.redis.error_messages import concerns_one_sim
from sector.state.redis.memory import check_room_for_sim
from sector.state.redis.replies import Reply, as_bytes, as_list, checked
from sector.state.tick.head import FIELDS, Head
from sector.state.world import World

log = logging.getLogger(__name__)

_ID = re.compile(SIM_ID)


async def list_ids(redis: Client) -> list[str]:
    """Return the ids of all sims, sorted. It ignores members of the set that are not valid ids."""
    members = as_list(await execute(redis, "SMEMBERS", SIMS))
    ids = ((as_bytes(each) or b"").decode(errors="replace") for each in members)
    return sorted(each for each in ids if _ID.fullmatch(each))


async def load_heads(redis: Client, sim_ids: Sequence[str]) -> list[Head | None]:
    """Return the head of each sim, or None if the sim does not exist or its head is invalid.

    An invalid sim does not hide the others.
    """
    if not sim_ids:
        return []
    if isinstance(redis, Cluster):
        return [await _load_head_in_cluster(redis, each) for each in sim_ids]
    async with acquire_connection(redis, SIMS) as connection:
        replies = await connection.pipeline(*(("HMGET", SimKeys(each).head, *FIELDS) for each in sim_ids))
    return [_parse_head(fields) for fields in replies]


async def exist(redis: Client, sim_ids: Sequence[str]) -> list[bool]:
    """Say for each sim whether it exists, even if it is invalid.

    It takes one round trip, or one for each node of a cluster.
    """
    if not sim_ids:
        return []
    keys = [SimKeys(each).head for each in sim_ids]
    replies: dict[str, Reply] = {}
    for of_node in await redis.by_node(keys) if isinstance(redis, Cluster) else [keys]:
        async with acquire_connection(redis, of_node[0]) as connection:
            of_keys = await connection.pipeline(*(("HMGET", key, "tick") for key in of_node))
        replies.update(zip(of_node, of_keys, strict=True))
    return [_exists(replies[key]) for key in keys]


def _exists(reply: Reply) -> bool:
    if isinstance(reply, ResponseError):
        if not concerns_one_sim(reply):
            raise reply
        return True
    # The head may have an epoch but no tick, if a worker acquired the lease before the sim was created.
    return as_bytes(as_list(reply)[0]) is not None


async def _load_head_in_cluster(redis: Client, sim_id: str) -> Head | None:
    try:
        return _parse_head(await execute(redis, "HMGET", SimKeys(sim_id).head, *FIELDS))
    except ResponseError as error:
        return _parse_head(error)


def _parse_head(reply: Reply) -> Head | None:
    if isinstance(reply, ResponseError) and not concerns_one_sim(reply):
        raise reply
    try:
        return Head.parse(as_list(reply))
    except (HeadError, ResponseError):
        return None


async def create[S](redis: Client, sim_id: str, world: World[S], config: SimConfig) -> bool:
    """Create the sim unless it exists. Return whether this call created it. Of concurrent calls, only one creates it.

    Raises SimImpossible, StorageFull or redis.exceptions.RedisError.
    """
    created = await _create(redis, sim_id, world, config)
    # The id is added last, so that each listed sim is complete.
    await execute(redis, "SADD", SIMS, sim_id)
    return created


async def _create[S](redis: Client, sim_id: str, world: World[S], config: SimConfig) -> bool:
    keys, generated = SimKeys(sim_id), None
    async with acquire_connection(redis, keys.head) as connection:
        while True:
            _, fields = checked(await connection.pipeline(("WATCH", keys.head), ("HMGET", keys.head, *FIELDS)))
            if Head.parse(as_list(fields)) is not None:
                checked(await connection.pipeline(("UNWATCH",)))
                return False
            await check_room_for_sim(connection)
            map_blob, snapshot = generated = generated or _generate_world(sim_id, world, config)
            # The head already has an epoch if a worker acquired the lease before. The epoch must never decrease.
            epoch = int(as_bytes(as_list(fields)[FIELDS.index("epoch")]) or 0)
            head = first_head(0, digest(snapshot), epoch, "running")
            begin = initial_commands(keys, head, config, map_blob, snapshot)
            *_, done = checked(await connection.pipeline(("MULTI",), *begin, ("EXEC",)))
            if done is not None:
                return True


def _generate_world[S](sim_id: str, world: World[S], config: SimConfig) -> tuple[bytes, bytes]:
    """Return the map and the snapshot of a new sim. Raises SimImpossible if the world rejects its config."""
    generate = getattr(world, "create", None)
    # A class that inherits from the protocol has its empty method.
    if generate is None or getattr(type(world), "create", None) is World.create:
        warnings.warn(f"{type(world).__name__}.found is now create", DeprecationWarning, stacklevel=2)
        generate = world.found  # type: ignore[attr-defined]  # the name before 0.12
    try:
        generated: tuple[bytes, bytes] = generate(config)
    except WorldConfigError as error:
        raise SimImpossible(sim_id, str(error)) from error
    except ValueError as error:
        # The reason is public, but the text of this error may come from any library.
        log.warning("world rejected the config of a sim", extra={"sim": sim_id, "error": str(error)})
        raise SimImpossible(sim_id, "the world rejected its config") from error
    return generated


def first_head(tick: int, state_hash: str, epoch: int, status: str) -> Head:
    """Return the head of a sim that begins at `tick` and has not applied an order."""
    return Head(tick, "0-0", state_hash, secrets.token_hex(8), epoch, time.time_ns() // 1_000_000, status, 0)


def initial_commands(keys: SimKeys, head: Head, config: SimConfig, map_blob: bytes, snapshot: bytes) -> list[Command]:
    """Return the commands that create a sim at `head`. Its snapshot becomes its first keyframe."""
    return [
        ("SET", keys.config, config.model_dump_json()),
        ("SET", keys.map, map_blob),
        ("SET", keys.snapshot, snapshot),
        write_keyframe(keys.keyframes, KeyframeMark(head.tick, head.cursor, 0), snapshot),
        ("HSET", keys.head, *head.pairs()),
    ]


async def load_manifest(redis: Client, sim_id: str) -> tuple[SimConfig, bytes]:
    """Return the config and the encoded map of a sim.

    Raises SimNotFound, and StateError if this version cannot read the config.
    """
    keys = SimKeys(sim_id)
    config, map_blob = (as_bytes(value) for value in as_list(await execute(redis, "MGET", keys.config, keys.map)))
    if config is None or map_blob is None:
        raise SimNotFound(sim_id)
    try:
        return SimConfig.model_validate_json(config), map_blob
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "JSON"
        raise StateError(f"the config of sim {sim_id!r} cannot be read: {field}: {describe_error(first)}") from error


async def delete(redis: Client, sim_id: str) -> None:
    """Delete a sim with its history. A worker that runs it commits no more ticks. Raises SimNotFound."""
    keys = SimKeys(sim_id)
    async with acquire_connection(redis, keys.head) as connection:
        *_, done = checked(await connection.pipeline(("MULTI",), ("EXISTS", keys.head), ("DEL", *keys.all), ("EXEC",)))
    was_listed = await execute(redis, "SREM", SIMS, sim_id)
    if not as_list(done)[0] and not was_listed:
        raise SimNotFound(sim_id)


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__,
        {
            "read_founding": "load_manifest",
            "begin_with": "initial_commands",
            "found": "create",
            "listed": "list_ids",
            "heads": "load_heads",
            "remove": "delete",
        },
    )
