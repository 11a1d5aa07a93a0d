"""Import of a sim with its history from the records of an archive. The sim appears when it is complete, or not at all."""

import time
from collections.abc import Iterator
from copy import replace

from sector.models.archive import ArchiveError, Founding, Keyframe, Record, TickEntry
from sector.models.archive_check import HistoryChecker, RecordError
from sector.models.frame import digest, encode
from sector.state.errors import HistoryBroken, SimExists
from sector.state.history.event_codec import TickEvents, encode_tick
from sector.state.history.retention import KeyframeMark, tick_bytes, write_keyframe
from sector.state.keys import SIMS, SimKeys
from sector.state.log.order_codec import encode_order
from sector.state.redis.client import Client
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import Connection, acquire_connection, execute
from sector.state.redis.replies import as_list, checked
from sector.state.sims.lifecycle import first_head
from sector.state.tick.head import FIELDS, Head

_CLOCK_SKEW_MS = 24 * 3600 * 1000
"""The maximum difference between our clock and the clock of the Redis that created the id of an order."""


class Importer:
    """Imports one sim. It writes to staging keys, which `close` renames to the keys of the sim."""

    def __init__(self, connection: Connection, redis: Client, sim_id: str) -> None:
        self._connection = connection
        self._redis = redis
        self._keys = SimKeys(sim_id)
        self._founding: tuple[bytes, bytes] | None = None
        self._head: Head | None = None
        self._checker = HistoryChecker(verify_states=True)
        self._brought: set[str] = set()

    async def begin(self) -> None:
        """Check that the sim does not exist, and delete the remains of an interrupted import. Raises SimExists."""
        _, fields = checked(
            await self._connection.pipeline(("WATCH", self._keys.head), ("HMGET", self._keys.head, *FIELDS))
        )
        if Head.parse(as_list(fields)) is not None:
            raise SimExists(self._keys.sim_id)
        await self.discard()

    async def put(self, record: Record) -> int:
        """Write one record and return the tick of the sim after it.

        Raises HistoryBroken if it contradicts its frames or earlier records.
        """
        try:
            self._checker.put(record)
        except RecordError as error:
            raise self._broken(str(error)) from error
        if int(self._checker.cursor.partition("-")[0]) > time.time() * 1000 + _CLOCK_SKEW_MS:
            # New orders would have earlier ids, so they would never be applied.
            raise self._broken(f"its last order {self._checker.cursor} is later than the clock of Redis")
        match record:
            case Founding():
                self._founding = (record.config, record.map)
            case Keyframe():
                await self._put_keyframe(record)
            case TickEntry():
                await self._put_tick(record)
        return 0 if self._head is None else self._head.tick

    async def close(self) -> Head:
        """Make the sim visible in one transaction.

        Raises HistoryBroken, or SimExists if the sim was created in the meantime.
        """
        try:
            self._checker.finish()
        except RecordError as error:
            raise self._broken(str(error)) from error
        if self._founding is None or self._head is None:
            raise HistoryBroken(self._keys.sim_id, 0, "an archive must have a manifest record and a keyframe")
        keys, frame = self._keys, self._checker.frame
        snapshot, head = encode(frame), replace(self._head, status=str(frame.meta.get("status", "running")))
        if digest(snapshot) != head.hash:
            raise self._broken(f"its state has the hash {digest(snapshot)}, and {head.hash} was recorded")
        config, map_blob = self._founding
        *_, done = checked(
            await self._connection.pipeline(
                ("MULTI",),
                ("SET", keys.config, config),
                ("SET", keys.map, map_blob),
                ("SET", keys.snapshot, snapshot),
                ("DEL", *keys.history),
                *(("RENAME", SimKeys.staging_key(key), key) for key in sorted(self._brought)),
                ("HSET", keys.head, *head.pairs()),
                ("EXEC",),
            )
        )
        if done is None:
            raise SimExists(keys.sim_id)
        await execute(self._redis, "SADD", SIMS, keys.sim_id)
        return head

    async def _put_keyframe(self, record: Keyframe) -> None:
        if self._head is None:
            self._head = replace(first_head(record.tick, self._checker.hash, 0, "running"), cursor=record.cursor)
        mark = KeyframeMark(record.tick, record.cursor, self._head.history_bytes)
        self._head = replace(self._head, history_bytes=mark.bytes_before + len(record.snapshot))
        command = write_keyframe(SimKeys.staging_key(self._keys.keyframes), mark, record.snapshot)
        await self._bring(self._keys.keyframes, [command])

    async def _put_tick(self, record: TickEntry) -> None:
        if self._head is None:
            raise self._broken("it has no keyframe before its first tick")
        cursor = self._checker.cursor
        applied = (self._head.applied or 0) + len(record.orders)
        self._head = replace(
            self._head,
            tick=record.tick,
            cursor=cursor,
            hash=record.hash,
            at_ms=record.at_ms,
            applied=applied,
            history_bytes=self._head.history_bytes + tick_bytes(record.events, record.delta, record.orders),
        )
        log, events = SimKeys.staging_key(self._keys.orders), SimKeys.staging_key(self._keys.events)
        await self._bring(self._keys.orders, [encode_order(log, order) for order in record.orders])
        tick = TickEvents(record.tick, record.at_ms, 0, record.hash, cursor, record.events, record.delta)
        await self._bring(self._keys.events, [encode_tick(events, tick)])

    async def _bring(self, key: str, commands: list[Command]) -> None:
        if commands:
            self._brought.add(key)
            checked(await self._connection.pipeline(*commands))

    async def discard(self) -> None:
        """Delete the staging keys."""
        checked(await self._connection.pipeline(("DEL", *map(SimKeys.staging_key, self._keys.history))))

    def _broken(self, reason: str) -> HistoryBroken:
        return HistoryBroken(self._keys.sim_id, 0 if self._head is None else self._head.tick, reason)


async def import_sim(redis: Client, sim_id: str, records: Iterator[Record]) -> Head:
    """Import a sim under the id `sim_id`, and return its head.

    Raises SimExists, HistoryBroken, sector.models.archive.ArchiveError or redis.exceptions.RedisError.
    """
    async with acquire_connection(redis, SimKeys(sim_id).head) as connection:
        importer = Importer(connection, redis, sim_id)
        await importer.begin()
        try:
            for record in records:
                await importer.put(record)
            return await importer.close()
        except (ArchiveError, HistoryBroken):
            await importer.discard()
            raise
