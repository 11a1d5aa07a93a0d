"""Fork: a new sim that begins with the state of another sim at some tick and is independent of it."""

from sector.state.errors import SimExists
from sector.state.history import history
from sector.state.keys import SIMS, SimKeys
from sector.state.redis.client import Client
from sector.state.redis.connection import acquire_connection, execute
from sector.state.redis.replies import as_list, checked
from sector.state.sims.lifecycle import first_head, initial_commands, load_manifest
from sector.state.tick.head import FIELDS, Head


async def fork(redis: Client, sim_id: str, tick: int, new_id: str) -> Head:
    """Create the sim `new_id` with the state of `sim_id` at `tick`, and return its head. Its order log is empty.

    The two sims may be on different nodes. Raises SimNotFound, SimExists, HistoryGone, HistoryBroken or
    redis.exceptions.RedisError.
    """
    past = await history.at_tick(redis, sim_id, tick)
    snapshot = past.snapshot()
    config, map_blob = await load_manifest(redis, sim_id)
    keys = SimKeys(new_id)
    async with acquire_connection(redis, keys.head) as connection:
        _, fields = checked(await connection.pipeline(("WATCH", keys.head), ("HMGET", keys.head, *FIELDS)))
        if Head.parse(as_list(fields)) is not None:
            raise SimExists(new_id)
        head = first_head(past.tick, past.hash, 0, str(past.frame.meta.get("status", "running")))
        stray = ("DEL", *keys.history)
        begin = initial_commands(keys, head, config, map_blob, snapshot)
        *_, done = checked(await connection.pipeline(("MULTI",), stray, *begin, ("EXEC",)))
    if done is None:
        raise SimExists(new_id)
    await execute(redis, "SADD", SIMS, new_id)
    return head
