"""Reads the full history of a sim from Redis: the order log, every tick, and the head."""

from dataclasses import dataclass

from sector.models.archive import Record
from sector.models.frame import FrameError, digest
from sector.state.errors import StateError
from sector.state.history.event_codec import TickEvents, decode_tick
from sector.state.keys import SimKeys
from sector.state.redis.client import Client
from sector.state.redis.connection import acquire_connection, execute
from sector.state.redis.replies import as_entry, as_list, checked
from sector.state.sims.exporter import Exporter
from sector.state.tick.head import Head
from sector.state.tick.head_state import load_head_state
from sector.state.watch.reader import SimReader


@dataclass(frozen=True, slots=True)
class SimHistory:
    """A sim. `log`: ids of the order log; `records`: its history as in an archive; `gap`: why it has a gap.

    `state_hash` is that of the head state as readers and the next worker load it; "" if there is none.
    """

    sim_id: str
    head: Head
    state_hash: str
    log: list[str]
    ticks: list[TickEvents]
    records: list[Record]
    gap: str = ""


async def read(redis: Client, sim_id: str) -> SimHistory:
    """Read a sim that no worker ticks. Raises redis.exceptions.RedisError."""
    keys = SimKeys(sim_id)
    log = [as_entry(entry)[0] for entry in as_list(await execute(redis, "XRANGE", keys.orders, "-", "+"))]
    ticks = [decode_tick(entry, sim_id) for entry in as_list(await execute(redis, "XRANGE", keys.events, "-", "+"))]
    head = await SimReader(redis, sim_id).head()
    records: list[Record] = []
    state_hash = gap = ""
    try:
        async with acquire_connection(redis, keys.head) as connection:
            (snapshot,) = checked(await connection.pipeline(("GET", keys.snapshot)))
            state_hash = digest((await load_head_state(connection, keys, head, snapshot)).snapshot_bytes())
        async for record in (await Exporter.open(redis, sim_id)).records():
            records.append(record)  # noqa: PERF401  (what stands before a gap is kept)
    except (StateError, FrameError) as error:
        gap = str(error)
    return SimHistory(sim_id, head, state_hash, log, ticks, records, gap)


async def last_order(redis: Client, sim_id: str) -> str:
    """Return the id of the newest entry of the order log; `0-0` if it is empty."""
    newest = as_list(await execute(redis, "XREVRANGE", SimKeys(sim_id).orders, "+", "-", "COUNT", 1))
    return as_entry(newest[0])[0] if newest else "0-0"
