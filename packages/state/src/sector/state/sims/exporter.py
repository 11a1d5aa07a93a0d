"""Export of the stored history of a sim, from its oldest keyframe, as the records of an archive.

It does not write to Redis.
"""

from collections.abc import AsyncIterator

from sector.models.archive import Founding, Keyframe, Record, TickEntry
from sector.models.step import LoggedOrder
from sector.state.errors import HistoryGone
from sector.state.history import history
from sector.state.history.event_codec import decode_tick
from sector.state.keys import SimKeys
from sector.state.log.order_codec import decode_orders
from sector.state.redis.client import Client
from sector.state.redis.connection import execute
from sector.state.redis.replies import Reply, as_bytes, as_list
from sector.state.sims.lifecycle import load_manifest

_PAGE = 100


class Exporter:
    """Exports one sim up to its head at the time of `open`. The sim may continue to tick in the meantime."""

    def __init__(self, redis: Client, sim_id: str, first_tick: int, last_tick: int) -> None:
        self._redis = redis
        self._keys = SimKeys(sim_id)
        self.first_tick = first_tick
        self.last_tick = last_tick

    @classmethod
    async def open(cls, redis: Client, sim_id: str) -> "Exporter":
        """Read the range of the history. Raises SimNotFound or redis.exceptions.RedisError."""
        history_range = await history.get_range(redis, sim_id)
        return cls(redis, sim_id, history_range.first, history_range.head.tick)

    async def records(self) -> AsyncIterator[Record]:
        """Yield the manifest, the first keyframe, then each tick with the keyframes between them.

        Raises HistoryGone if the sim trimmed the beginning in the meantime, HistoryBroken, or
        redis.exceptions.RedisError.
        """
        config, map_blob = await load_manifest(self._redis, self._keys.sim_id)
        yield Founding(self._keys.sim_id, config.model_dump_json().encode(), map_blob)
        start = await self._keyframe(self.first_tick)
        if start is None:
            raise HistoryGone(self._keys.sim_id, self.first_tick)
        yield start
        cursor, tick = start.cursor, self.first_tick
        while tick < self.last_tick:
            page = await execute(
                self._redis, "XRANGE", self._keys.events, f"({tick}-0", f"{self.last_tick}-0", "COUNT", _PAGE
            )
            if not as_list(page):
                raise HistoryGone(self._keys.sim_id, tick + 1)
            for each in as_list(page):
                entry, cursor = await self._tick(each, cursor)
                if entry.tick != tick + 1:
                    raise HistoryGone(self._keys.sim_id, tick + 1)
                tick = entry.tick
                yield entry
                if tick < self.last_tick and (keyframe := await self._keyframe(tick)) is not None:
                    yield keyframe

    async def _tick(self, entry: Reply, after: str) -> tuple[TickEntry, str]:
        """Return a tick with its orders, which follow `after` in the log, and the id of the last of them."""
        tick = decode_tick(entry, self._keys.sim_id)
        orders: list[LoggedOrder] = []
        if tick.cursor != after:
            orders, _ = decode_orders(await execute(self._redis, "XRANGE", self._keys.orders, f"({after}", tick.cursor))
        return TickEntry(tick.tick, tick.at_ms, tick.hash, tuple(orders), tick.events_frame, tick.delta), tick.cursor

    async def _keyframe(self, tick: int) -> Keyframe | None:
        fields = await execute(self._redis, "HMGET", self._keys.keyframes, str(tick), f"{tick}:cursor")
        snapshot, cursor = (as_bytes(value) for value in as_list(fields))
        return None if snapshot is None or cursor is None else Keyframe(tick, cursor.decode(), snapshot)
