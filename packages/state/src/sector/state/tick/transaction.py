"""The tick transaction: read under WATCH, compute, write under EXEC. Two round trips, and no lock held while computing.

Whoever else writes lease, head or events meanwhile makes EXEC answer null, and nothing of this tick is written. Where the
connection breaks before EXEC's answer, the outcome is unknown; the head read next tells, by its commit id.
"""

import itertools
import secrets
import time
from copy import replace
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from redis.exceptions import OutOfMemoryError

from sector.models import LoggedOrder, SimConfig, Step
from sector.models.deprecated_names import deprecated_names
from sector.models.frame import FrameError, digest
from sector.state.errors import (
    CommitConflict,
    HistoryBroken,
    HistoryGone,
    LeaseLost,
    SimNotFound,
    StateError,
    WorldFailed,
)
from sector.state.history.retention import (
    MAX_HISTORY_BYTES,
    HistoryStep,
    KeyframeMark,
    Retention,
    load_keyframes,
    tick_bytes,
    trim_history,
)
from sector.state.history.roll_forward import verify_delta
from sector.state.keys import SimKeys
from sector.state.log.order_codec import DeadLetter, decode_orders
from sector.state.log.order_log import load_entry_count
from sector.state.redis.client import Client
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import Connection, acquire_connection
from sector.state.redis.replies import as_bytes, as_list, checked
from sector.state.tick.head import FIELDS, Head
from sector.state.tick.head_state import SnapshotBacklog, StoredHead, load_head_state
from sector.state.tick.lease import Lease, worker_of
from sector.state.tick.memory_monitor import MemoryMonitor
from sector.state.tick.outcome import CommittedTick, FinishedSim, PhaseDurations
from sector.state.tick.step_runner import StepRunner
from sector.state.tick.tick_commands import encode_commit, traces_of
from sector.state.world import World

MAX_ORDERS_PER_TICK = 10_000
MAX_ORDER_BYTES_PER_TICK = 4 * 2**20
"""What a tick writes is about as large as its orders, and must fit into the memory that Redis reserves for ticks."""


@dataclass(frozen=True, slots=True)
class TickInput:
    """The input of a tick. `state` is None if it is cached. `applied`: number of entries of the order log that were ever applied."""

    head: Head
    applied: int
    orders: list[LoggedOrder]
    dead_letters: list[DeadLetter]
    state: StoredHead | None


class Ticker[S]:
    """Advances one sim under one lease. The states it remembers are a cache: forgetting them costs only time.

    `tick_length_ms`: the time from one tick to the next, for the head; the ticker itself does not wait. `max_history_bytes`: what the
    sim keeps of its history at most, about; less while Redis is nearly full.
    """

    def __init__(
        self,
        redis: Client,
        world: World[S],
        config: SimConfig,
        map_blob: bytes,
        lease: Lease,
        *,
        tick_length_ms: int | None = None,
        max_history_bytes: int = MAX_HISTORY_BYTES,
    ) -> None:
        self._redis = redis
        self._world = world
        self._config = config
        self._map = map_blob
        self.lease = lease
        self._tick_length_ms = tick_length_ms
        self._keys = SimKeys(lease.sim_id)
        self._cursor = "0-0"
        self._states: dict[str, S] = {}  # by commit id: that of the last head seen, and that of the last EXEC sent
        self._step_runner = StepRunner()
        self._nonce, self._commits = secrets.token_hex(8), itertools.count()
        self._backlog: SnapshotBacklog | None = None  # None: not known
        self._keyframes: tuple[KeyframeMark, ...] | None = None  # None: not known
        self._max_history_bytes = max_history_bytes
        self._memory = MemoryMonitor()

    async def tick(self) -> CommittedTick | FinishedSim:
        """Commit one tick, or find that the sim is finished.

        Raises LeaseLost, CommitConflict, SimNotFound, HistoryGone, HistoryBroken, WorldFailed, sector.models.frame.FrameError,
        redis.exceptions.RedisError.
        """
        began_s = time.monotonic()
        async with acquire_connection(self._redis, self._keys.head) as connection:
            read = await self._read(connection)
            read_s = time.monotonic()
            keyframes = self._keyframes if self._keyframes is not None else await load_keyframes(connection, self._keys)
            if read.head.status == "finished":
                await self._hold_finished(connection, read.head, keyframes)
                return FinishedSim(read.head)
            try:
                state, step = await self._compute_step(connection, read)
            except (HistoryGone, HistoryBroken):
                await self._check_nobody_wrote(connection, read.head)
                raise
            computed_s = time.monotonic()
            size = tick_bytes(step.events, step.delta, read.orders)
            history = self._history_after(read, step, size, keyframes)
            self._memory.count_write(size)
            after = self._head_after(read, step, history)
            self._states = {read.head.commit: state, after.commit: step.state}
            backlog = self._backlog_after(step, keyframe=history.is_keyframe)
            # Unknown until the commit is confirmed.
            self._backlog = self._keyframes = None
            traces = traces_of(read.orders)
            changes = encode_commit(
                self._keys, after, step, history, read.dead_letters, traces, with_snapshot=backlog is None
            )
            try:
                await self._commit(connection, after, changes)
            except OutOfMemoryError:
                await self._free_memory(connection, read.head, keyframes)
                raise
            self._cursor, self._backlog, self._keyframes = after.cursor, backlog or SnapshotBacklog(), history.keyframes
        durations = PhaseDurations(read_s - began_s, computed_s - read_s, time.monotonic() - computed_s)
        waited_ms = max(after.at_ms - int(read.orders[0].id.partition("-")[0]), 0) if read.orders else 0
        return CommittedTick(
            after,
            len(read.orders),
            step.finished,
            durations,
            waited_ms,
            step.events,
            len(step.snapshot),
            backlog is None,
            traces,
            history.stored_bytes,
            self._memory.use,
        )

    def _backlog_after(self, step: Step[S], *, keyframe: bool) -> SnapshotBacklog | None:
        """Return the backlog of the snapshot if the tick does not write it, or None if the tick must write it."""
        return None if self._backlog is None or keyframe else self._backlog.after(step)

    def _retention(self) -> Retention:
        return Retention.of(self._config, self._memory.use.history_limit(self._max_history_bytes))

    def _history_after(
        self, read: TickInput, step: Step[S], size: int, keyframes: tuple[KeyframeMark, ...]
    ) -> HistoryStep:
        """Return what the tick does to the history. `size`: bytes that it adds."""
        cursor = read.orders[-1].id if read.orders else read.head.cursor
        mark = KeyframeMark(read.head.tick + 1, cursor, read.head.history_bytes + size)
        return self._retention().advance(self._keys, keyframes, mark, step.snapshot)

    async def _hold_finished(self, connection: Connection, head: Head, keyframes: tuple[KeyframeMark, ...]) -> None:
        """Keep the lease of a finished sim. It writes nothing more, and keeps less history where Redis is nearly full."""
        rest = self._retention().keyframes_to_keep(keyframes, head.tick, head.history_bytes)
        drop = trim_history(self._keys, keyframes[: -len(rest)], rest) if rest else []
        *_, done = checked(await connection.pipeline(("MULTI",), *drop, self.lease.renewal(), ("EXEC",)))
        self._keyframes = None if done is None else rest

    async def _free_memory(self, connection: Connection, head: Head, keyframes: tuple[KeyframeMark, ...]) -> None:
        """Drop all history that can be dropped: Redis refused the tick, since it is full. The next attempt may have room."""
        _, token = checked(await connection.pipeline(self._watch(), ("GET", self._keys.lease)))
        self._check(as_bytes(token))
        rest = replace(self._retention(), max_bytes=0).keyframes_to_keep(keyframes, head.tick, head.history_bytes)
        drop = trim_history(self._keys, keyframes[: -len(rest)], rest) if rest else []
        checked(await connection.pipeline(("MULTI",), *drop, ("EXEC",)))

    async def _read(self, connection: Connection) -> TickInput:
        """Watch and read, in one round trip where cursor and commit are as this ticker left them."""
        replies = await connection.pipeline(
            self._watch(),
            ("GET", self._keys.lease),
            ("HMGET", self._keys.head, *FIELDS),
            self._orders_after(self._cursor),
            # Its type is checked before EXEC, which would carry out the commands around one that fails.
            ("XLEN", self._keys.events),
            *self._memory.commands(),
        )
        _, token, fields, entries, _ = checked(replies[:5])
        self._check(as_bytes(token))
        self._memory.update(replies[5:])
        head = Head.parse(as_list(fields))
        if head is None:
            raise SimNotFound(self.lease.sim_id)
        if head.cursor != self._cursor:
            (entries,) = checked(await connection.pipeline(self._orders_after(head.cursor)))
        applied = head.applied
        if applied is None:
            applied = max(await load_entry_count(connection, self._keys) - len(as_list(entries)), 0)
        state = None
        if head.commit not in self._states:
            self._backlog = None
            (snapshot,) = checked(await connection.pipeline(("GET", self._keys.snapshot)))
            state = await load_head_state(connection, self._keys, head, snapshot)
        orders, dead_letters = decode_orders(entries, MAX_ORDER_BYTES_PER_TICK)
        if dead_letters:
            checked(await connection.pipeline(("XLEN", self._keys.dead_letters)))
        return TickInput(head, applied, orders, dead_letters, state)

    def _watch(self) -> Command:
        return ("WATCH", self._keys.lease, self._keys.head, self._keys.events)

    def _orders_after(self, cursor: str) -> Command:
        return ("XRANGE", self._keys.orders, f"({cursor}", "+", "COUNT", MAX_ORDERS_PER_TICK)

    def _check(self, token: bytes | None) -> None:
        if token != self.lease.token.encode():
            raise LeaseLost(self.lease.sim_id, worker_of(token))

    async def _compute_step(self, connection: Connection, read: TickInput) -> tuple[S, Step[S]]:
        """Return the state at head and the step from it. The lease is renewed while a thread computes."""
        compute, renew = partial(self._advance_world, read), partial(self._renew, connection, read.head)
        return await self._step_runner.run(compute, renew, self.lease.ttl_ms / 3000)

    def _advance_world(self, read: TickInput) -> tuple[S, Step[S]]:
        world, stored = self._world, read.state
        try:
            if stored is None:
                state = self._states[read.head.commit]
                return state, world.advance(state, read.orders)
            before = stored.snapshot_bytes()
            state = world.load(self._config, self._map, before)
            step = world.advance(state, read.orders)
            # Most ticks to come write nothing of the state but the delta.
            verify_delta(before, step)
            return state, step
        except (FrameError, StateError):
            raise
        except Exception as error:
            raise WorldFailed(self.lease.sim_id, read.head.tick + 1, error) from error

    async def _check_nobody_wrote(self, connection: Connection, head: Head) -> None:
        """Raise CommitConflict where what is watched was written: head and snapshot, read one after the other, are of two ticks then."""
        _, done = checked(await connection.pipeline(("MULTI",), ("EXEC",)))
        if done is None:
            raise CommitConflict(self.lease.sim_id, head.tick + 1)

    async def _renew(self, connection: Connection, head: Head) -> None:
        """Renew the lease amid a tick. That touches the watched key, so watch again, and see that nothing else changed."""
        *_, done, _, token, commit = checked(
            await connection.pipeline(
                ("MULTI",),
                self.lease.renewal(),
                ("EXEC",),
                self._watch(),
                ("GET", self._keys.lease),
                ("HGET", self._keys.head, "commit"),
            )
        )
        self._check(as_bytes(token))
        if done is None or as_bytes(commit) != head.commit.encode():
            raise CommitConflict(self.lease.sim_id, head.tick + 1)

    def _head_after(self, read: TickInput, step: Step[S], history: HistoryStep) -> Head:
        return Head(
            tick=read.head.tick + 1,
            cursor=history.cursor,
            hash=digest(step.snapshot),
            commit=f"{self._nonce}{next(self._commits):x}",
            epoch=self.lease.epoch,
            at_ms=time.time_ns() // 1_000_000,
            status="finished" if step.finished else "running",
            applied=read.applied + len(read.orders),
            tick_length_ms=self._tick_length_ms,
            history_bytes=history.written_bytes,
        )

    async def _commit(self, connection: Connection, head: Head, changes: list[Command]) -> None:
        """Write the tick that leads to `head`, and renew the lease: all of it, or nothing where what is watched changed."""
        *_, done = checked(await connection.pipeline(("MULTI",), *changes, self.lease.renewal(), ("EXEC",)))
        if done is None:
            raise CommitConflict(self.lease.sim_id, head.tick)
        checked(as_list(done))


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"Took": "PhaseDurations", "Tick": "CommittedTick"})
