"""Import: a sim from the records of an archive, with its history. It appears when all of it is there, or not at all."""

from collections.abc import Iterator
from copy import replace

from pydantic import ValidationError

from sector.models import SimConfig
from sector.models.archive import Founding, Keyframe, Record, TickEntry
from sector.models.delta import DeltaError, apply_delta
from sector.models.frame import Frame, FrameError, decode, digest, encode
from sector.state.connect import Client
from sector.state.errors import HistoryBroken, SimExists
from sector.state.head import FIELDS, Head
from sector.state.keys import SIMS, SimKeys
from sector.state.link import Command, Link, borrowed, call
from sector.state.orders import SCOPE_ADMIN, SCOPE_PLAYER
from sector.state.replies import as_list, checked
from sector.state.sims import first_head


class Importer:
    """Imports one sim. What it brings lies beside the keys of the sim until `close` puts it in place."""

    def __init__(self, link: Link, redis: Client, sim_id: str) -> None:
        self._link = link
        self._redis = redis
        self._keys = SimKeys(sim_id)
        self._founding: tuple[bytes, bytes] | None = None
        self._head: Head | None = None
        self._frame: Frame | None = None
        self._brought: set[str] = set()

    async def begin(self) -> None:
        """See that there is no such sim, and clear what an import that was broken off left. Raises SimExists."""
        _, fields = checked(await self._link.exchange(("WATCH", self._keys.head), ("HMGET", self._keys.head, *FIELDS)))
        if Head.parse(as_list(fields)) is not None:
            raise SimExists(self._keys.sim_id)
        checked(await self._link.exchange(("DEL", *map(SimKeys.staged, self._keys.history))))

    async def put(self, record: Record) -> int:
        """Bring one record; returns the tick reached. Raises HistoryBroken where it does not follow the one before it."""
        match record:
            case Founding():
                await self._found(record)
            case Keyframe():
                await self._put_keyframe(record)
            case TickEntry():
                await self._put_tick(record)
        return 0 if self._head is None else self._head.tick

    async def close(self) -> Head:
        """Put the sim in place, all at once. Raises HistoryBroken, SimExists where somebody founded it meanwhile."""
        if self._founding is None or self._head is None or self._frame is None:
            raise HistoryBroken(self._keys.sim_id, 0, "an archive holds a founding and a keyframe at least")
        keys, snapshot = self._keys, encode(self._frame)
        head = replace(self._head, status=str(self._frame.meta.get("status", "running")))
        if digest(snapshot) != head.hash:
            raise self._broken(f"its state has the hash {digest(snapshot)}, and {head.hash} was recorded")
        config, map_blob = self._founding
        *_, done = checked(
            await self._link.exchange(
                ("MULTI",),
                ("SET", keys.config, config),
                ("SET", keys.map, map_blob),
                ("SET", keys.snapshot, snapshot),
                ("DEL", *keys.history),
                *(("RENAME", SimKeys.staged(key), key) for key in sorted(self._brought)),
                ("HSET", keys.head, *head.pairs()),
                ("EXEC",),
            )
        )
        if done is None:
            raise SimExists(keys.sim_id)
        await call(self._redis, "SADD", SIMS, keys.sim_id)
        return head

    async def _found(self, record: Founding) -> None:
        if self._founding is not None:
            raise self._broken("the sim is founded twice")
        try:
            SimConfig.model_validate_json(record.config)
            decode(record.map)
        except (ValidationError, FrameError) as error:
            raise self._broken(f"its config or map is none: {error}") from error
        self._founding = (record.config, record.map)

    async def _put_keyframe(self, record: Keyframe) -> None:
        try:
            frame, state_hash = decode(record.snapshot), digest(record.snapshot)
        except FrameError as error:
            raise self._broken(str(error)) from error
        if self._head is None:
            self._frame = frame
            self._head = replace(first_head(record.tick, state_hash, 0, "running"), cursor=record.cursor)
        elif (record.tick, state_hash) != (self._head.tick, self._head.hash):
            raise self._broken(f"a keyframe of tick {record.tick} that is not the state there")
        named = (str(record.tick), record.snapshot, f"{record.tick}:cursor", record.cursor)
        await self._bring(self._keys.keyframes, [("HSET", SimKeys.staged(self._keys.keyframes), *named)])

    async def _put_tick(self, record: TickEntry) -> None:
        if self._head is None or self._frame is None or record.tick != self._head.tick + 1:
            raise self._broken(f"tick {record.tick} follows")
        try:
            self._frame = apply_delta(self._frame, decode(record.delta))
        except (DeltaError, FrameError) as error:
            raise self._broken(str(error)) from error
        cursor = record.orders[-1].id if record.orders else self._head.cursor
        applied = self._head.applied + len(record.orders)
        self._head = replace(
            self._head, tick=record.tick, cursor=cursor, hash=record.hash, at_ms=record.at_ms, applied=applied
        )
        log, events = SimKeys.staged(self._keys.orders), SimKeys.staged(self._keys.events)
        orders: list[Command] = [
            (
                *("XADD", log, order.id, "issuer", order.issuer, "scope", SCOPE_ADMIN if order.admin else SCOPE_PLAYER),
                *(("fault", order.fault) if order.fault else ("order", order.body)),
            )
            for order in record.orders
        ]
        event = ("XADD", events, f"{record.tick}-0", "at_ms", record.at_ms, "hash", record.hash, "epoch", 0)
        rest = ("cursor", cursor, "events", record.events, "delta", record.delta)
        await self._bring(self._keys.orders, orders)
        await self._bring(self._keys.events, [(*event, *rest)])

    async def _bring(self, key: str, commands: list[Command]) -> None:
        if commands:
            self._brought.add(key)
            checked(await self._link.exchange(*commands))

    def _broken(self, reason: str) -> HistoryBroken:
        return HistoryBroken(self._keys.sim_id, 0 if self._head is None else self._head.tick, reason)


async def import_sim(redis: Client, sim_id: str, records: Iterator[Record]) -> Head:
    """Import a sim under the id `sim_id`; returns where it stands. Raises SimExists, HistoryBroken, redis.exceptions.RedisError."""
    async with borrowed(redis, SimKeys(sim_id).head) as link:
        importer = Importer(link, redis, sim_id)
        await importer.begin()
        for record in records:
            await importer.put(record)
        return await importer.close()
