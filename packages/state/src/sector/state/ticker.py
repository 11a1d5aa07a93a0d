"""The tick transaction: read under WATCH, compute, write under EXEC. Two round trips, and no lock held while computing.

Whoever else writes lease or head meanwhile makes EXEC answer null, and nothing of this tick is written. Where the
connection breaks before EXEC's answer, the outcome is unknown; the head read next tells, by its commit id.
"""

import secrets
import time
from dataclasses import dataclass

from redis.asyncio import Redis

from sector.models import LoggedOrder, SimConfig, Step
from sector.models.frame import digest
from sector.state.connect import Command, Link, as_bytes, as_list, borrowed, checked
from sector.state.errors import CommitConflict, LeaseLost, SimNotFound
from sector.state.head import FIELDS, Head
from sector.state.keys import SimKeys
from sector.state.lease import Lease, holder_of
from sector.state.orders import parse_entries
from sector.state.world import World

MAX_ORDERS_PER_TICK = 10_000


@dataclass(frozen=True, slots=True)
class Tick:
    """A committed tick. `orders`: how many it applied; `finished`: the sim ticks no more."""

    head: Head
    orders: int
    finished: bool


class Ticker[S]:
    """Advances one sim under one lease. The states it remembers are a cache: forgetting them costs only time."""

    def __init__(self, redis: Redis, world: World[S], config: SimConfig, map_blob: bytes, lease: Lease) -> None:
        self._redis = redis
        self._world = world
        self._config = config
        self._map = map_blob
        self.lease = lease
        self._keys = SimKeys(lease.sim_id)
        self._cursor = "0-0"
        self._states: dict[str, S] = {}  # by commit id: that of the last head seen, and that of the last EXEC sent

    async def tick(self) -> Tick:
        """Commit one tick, or find that the sim is finished.

        Raises LeaseLost, CommitConflict, SimNotFound, sector.models.frame.FrameError, redis.exceptions.RedisError.
        """
        async with borrowed(self._redis) as link:
            head, orders = await self._read(link)
            if head.status == "finished":
                await link.exchange(("UNWATCH",))
                return Tick(head, 0, True)
            state = self._states.get(head.commit)
            if state is None:
                state = self._world.load(self._config, self._map, await self._read_snapshot(link))
            step = self._world.advance(state, orders)
            after = self._head_after(head, orders, step)
            self._states = {head.commit: state, after.commit: step.state}
            await self._commit(link, after, step)
            self._cursor = after.cursor
        return Tick(after, len(orders), step.finished)

    async def _read(self, link: Link) -> tuple[Head, list[LoggedOrder]]:
        """Watch and read, in one round trip where the cursor is as this ticker left it, else in two."""
        _, token, fields, entries = checked(
            await link.exchange(
                ("WATCH", self._keys.lease, self._keys.head),
                ("GET", self._keys.lease),
                ("HMGET", self._keys.head, *FIELDS),
                self._orders_after(self._cursor),
            )
        )
        held = as_bytes(token)
        if held != self.lease.token.encode():
            await link.exchange(("UNWATCH",))
            raise LeaseLost(self.lease.sim_id, holder_of(held))
        head = Head.parse(as_list(fields))
        if head is None:
            raise SimNotFound(self.lease.sim_id)
        if head.cursor != self._cursor:
            (entries,) = checked(await link.exchange(self._orders_after(head.cursor)))
        return head, parse_entries(entries)

    def _orders_after(self, cursor: str) -> Command:
        return ("XRANGE", self._keys.orders, f"({cursor}", "+", "COUNT", MAX_ORDERS_PER_TICK)

    async def _read_snapshot(self, link: Link) -> bytes:
        (reply,) = checked(await link.exchange(("GET", self._keys.snapshot)))
        snapshot = as_bytes(reply)
        if snapshot is None:
            raise SimNotFound(self.lease.sim_id)
        return snapshot

    def _head_after(self, head: Head, orders: list[LoggedOrder], step: Step[S]) -> Head:
        return Head(
            tick=head.tick + 1,
            cursor=orders[-1].id if orders else head.cursor,
            hash=digest(step.snapshot),
            commit=secrets.token_hex(8),
            epoch=self.lease.epoch,
            at_ms=time.time_ns() // 1_000_000,
            status="finished" if step.finished else "running",
        )

    async def _commit(self, link: Link, head: Head, step: Step[S]) -> None:
        keys = self._keys
        event = ("XADD", keys.events, f"{head.tick}-0", "at_ms", head.at_ms, "hash", head.hash)
        commands: list[Command] = [
            ("MULTI",),
            ("SET", keys.snapshot, step.snapshot),
            ("HSET", keys.head, *head.pairs()),
            (*event, "cursor", head.cursor, "events", step.events, "delta", step.delta),
            *await self._keyframe(link, head, step.snapshot),
            ("PEXPIRE", keys.lease, self.lease.ttl_ms),
            ("EXEC",),
        ]
        *_, done = checked(await link.exchange(*commands))
        if done is None:
            raise CommitConflict(self.lease.sim_id, head.tick)
        checked(as_list(done))

    async def _keyframe(self, link: Link, head: Head, snapshot: bytes) -> list[Command]:
        """Every interval: keep this snapshot, and let go of all history before the oldest one kept."""
        if head.tick % self._config.keyframe_interval:
            return []
        keys = self._keys
        commands: list[Command] = [("HSET", keys.keyframes, head.tick, snapshot, f"{head.tick}:cursor", head.cursor)]
        oldest = head.tick - self._config.keyframe_interval * (self._config.keyframes_kept - 1)
        gone = oldest - self._config.keyframe_interval
        if gone >= 0:
            (reply,) = checked(await link.exchange(("HGET", keys.keyframes, f"{oldest}:cursor")))
            commands.append(("HDEL", keys.keyframes, gone, f"{gone}:cursor"))
            commands.append(("XTRIM", keys.events, "MINID", oldest + 1))
            if cursor := as_bytes(reply):
                commands.append(("XTRIM", keys.orders, "MINID", cursor))
        return commands
