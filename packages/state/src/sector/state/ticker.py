"""The tick transaction: read under WATCH, compute, write under EXEC. Two round trips, and no lock held while computing.

Whoever else writes lease, head or events meanwhile makes EXEC answer null, and nothing of this tick is written. Where the
connection breaks before EXEC's answer, the outcome is unknown; the head read next tells, by its commit id.
"""

import asyncio
import itertools
import secrets
import time
from copy import replace
from dataclasses import dataclass
from typing import NamedTuple

from redis.exceptions import ResponseError

from sector.models import LoggedOrder, SimConfig, Step
from sector.models.frame import FrameError, digest
from sector.state.at_head import Lag, Written, written
from sector.state.connect import Client
from sector.state.errors import (
    CommitConflict,
    HistoryBroken,
    HistoryGone,
    LeaseLost,
    SimNotFound,
    StateError,
    WorldFailed,
)
from sector.state.head import FIELDS, Head
from sector.state.keys import SimKeys
from sector.state.lease import Lease, worker_of
from sector.state.link import Command, Link, borrowed
from sector.state.orders import Poison, logged, read_entries
from sector.state.replies import as_bytes, as_list, checked
from sector.state.roll_forward import hold_to_its_delta
from sector.state.world import World

MAX_ORDERS_PER_TICK = 10_000
_MOST_TRACES = 100
_QUICK_S = 0.02
"""A tick that takes longer is computed in a thread, so that other sims go on and leases are renewed meanwhile."""


class Took(NamedTuple):
    """How long each phase of a tick took, in seconds."""

    read_s: float
    compute_s: float
    write_s: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A committed tick. `orders`: how many it applied; `finished`: the sim ticks no more, and nothing was committed if `took` is None.

    `waited_ms`: how long the oldest of its orders lay in the log, by the clocks of Redis and of this process; `events`: what happened,
    as in a Step; `snapshot_bytes`: the size of the state, and `written`: whether all of it was written; `traces`: those of its orders.
    """

    head: Head
    orders: int
    finished: bool
    took: Took | None = None
    waited_ms: int = 0
    events: bytes = b""
    snapshot_bytes: int = 0
    written: bool = False
    traces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """What a tick begins with. `state` is None where it is remembered."""

    head: Head
    orders: list[LoggedOrder]
    poison: list[Poison]
    state: Written | None


class Ticker[S]:
    """Advances one sim under one lease. The states it remembers are a cache: forgetting them costs only time.

    `tick_length_ms`: the time from one tick to the next, for the head; the ticker itself does not wait.
    """

    def __init__(
        self,
        redis: Client,
        world: World[S],
        config: SimConfig,
        map_blob: bytes,
        lease: Lease,
        *,
        tick_length_ms: int = -1,
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
        self._quick = False
        self._nonce, self._commits = secrets.token_hex(8), itertools.count()
        self._lag: Lag | None = None  # None: not known

    async def tick(self) -> Tick:
        """Commit one tick, or find that the sim is finished.

        Raises LeaseLost, CommitConflict, SimNotFound, HistoryGone, HistoryBroken, WorldFailed, sector.models.frame.FrameError,
        redis.exceptions.RedisError.
        """
        began_s = time.monotonic()
        async with borrowed(self._redis, self._keys.head) as link:
            read = await self._read(link)
            read_s = time.monotonic()
            if read.head.status == "finished":
                # Nothing is to be written; the lease is kept.
                checked(await link.exchange(("MULTI",), self.lease.renewal(), ("EXEC",)))
                return Tick(read.head, 0, True)
            try:
                state, step = await self._computed(link, read)
            except (HistoryGone, HistoryBroken):
                await self._check_nobody_wrote(link, read.head)
                raise
            computed_s = time.monotonic()
            after = self._head_after(read, step)
            self._states = {read.head.commit: state, after.commit: step.state}
            lag = self._lag_after(after.tick, step)
            traces = _traces(read.orders)
            await self._commit(link, after, step, read.poison, traces, whole=lag is None)
            self._cursor, self._lag = after.cursor, lag or Lag()
        took = Took(read_s - began_s, computed_s - read_s, time.monotonic() - computed_s)
        waited_ms = max(after.at_ms - int(read.orders[0].id.partition("-")[0]), 0) if read.orders else 0
        size = len(step.snapshot)
        return Tick(after, len(read.orders), step.finished, took, waited_ms, step.events, size, lag is None, traces)

    def _lag_after(self, tick: int, step: Step[S]) -> Lag | None:
        """Return how far the snapshot lies behind if `tick` does not write it, or None if it is to be written."""
        # Until the commit is known to have been carried out, it is not known.
        lag, self._lag = self._lag, None
        return None if lag is None or tick % self._config.keyframe_interval == 0 else lag.after(step)

    async def _read(self, link: Link) -> _Read:
        """Watch and read, in one round trip where cursor and commit are as this ticker left them."""
        _, token, fields, entries, _ = checked(
            await link.exchange(
                self._watch(),
                ("GET", self._keys.lease),
                ("HMGET", self._keys.head, *FIELDS),
                self._orders_after(self._cursor),
                # Its type is checked before EXEC, which would carry out the commands around one that fails.
                ("XLEN", self._keys.events),
            )
        )
        self._check(as_bytes(token))
        head = Head.parse(as_list(fields))
        if head is None:
            raise SimNotFound(self.lease.sim_id)
        if head.cursor != self._cursor:
            (entries,) = checked(await link.exchange(self._orders_after(head.cursor)))
        if head.applied < 0:
            head = replace(head, applied=max(await self._logged(link) - len(as_list(entries)), 0))
        state = None
        if head.commit not in self._states:
            self._lag = None
            (snapshot,) = checked(await link.exchange(("GET", self._keys.snapshot)))
            state = await written(link, self._keys, head, snapshot)
        return _Read(head, *read_entries(entries), state)

    async def _logged(self, link: Link) -> int:
        """Return how many entries the order log ever had."""
        (reply,) = await link.exchange(("XINFO", "STREAM", self._keys.orders))
        return 0 if isinstance(reply, ResponseError) else logged(reply)

    def _watch(self) -> Command:
        return ("WATCH", self._keys.lease, self._keys.head, self._keys.events)

    def _orders_after(self, cursor: str) -> Command:
        return ("XRANGE", self._keys.orders, f"({cursor}", "+", "COUNT", MAX_ORDERS_PER_TICK)

    def _check(self, token: bytes | None) -> None:
        if token != self.lease.token.encode():
            raise LeaseLost(self.lease.sim_id, worker_of(token))

    async def _computed(self, link: Link, read: _Read) -> tuple[S, Step[S]]:
        """Return the state at head and the step from it. A slow one is computed in a thread, and the lease renewed meanwhile."""
        if self._quick:
            began_s = time.monotonic()
            done = self._by_the_rules(read)
            self._quick = time.monotonic() - began_s < _QUICK_S
        else:
            computing = asyncio.create_task(asyncio.to_thread(self._timed, read))
            try:
                while not (await asyncio.wait((computing,), timeout=self.lease.ttl_ms / 3000))[0]:
                    await self._renew(link, read.head)
            finally:
                # A thread cannot be stopped; two must not run for one sim.
                await asyncio.wait((computing,))
            done = computing.result()
        return done

    def _timed(self, read: _Read) -> tuple[S, Step[S]]:
        began_s, worked_s = time.monotonic(), time.thread_time()
        done = self._by_the_rules(read)
        # Among other threads it waits for its turn: a quick one is not to be taken for slow because of that.
        waited_s, took_s = time.monotonic() - began_s, time.thread_time() - worked_s
        self._quick = max(took_s, waited_s / 10) < _QUICK_S
        return done

    def _by_the_rules(self, read: _Read) -> tuple[S, Step[S]]:
        world, there = self._world, read.state
        try:
            if there is None:
                state = self._states[read.head.commit]
                return state, world.advance(state, read.orders)
            before = there.whole()
            state = world.load(self._config, self._map, before)
            step = world.advance(state, read.orders)
            # Most ticks to come write nothing of the state but the delta.
            hold_to_its_delta(before, step)
            return state, step
        except (FrameError, StateError):
            raise
        except Exception as error:
            raise WorldFailed(self.lease.sim_id, read.head.tick + 1, error) from error

    async def _check_nobody_wrote(self, link: Link, head: Head) -> None:
        """Raise CommitConflict where what is watched was written: head and snapshot, read one after the other, are of two ticks then."""
        _, done = checked(await link.exchange(("MULTI",), ("EXEC",)))
        if done is None:
            raise CommitConflict(self.lease.sim_id, head.tick + 1)

    async def _renew(self, link: Link, head: Head) -> None:
        """Renew the lease amid a tick. That touches the watched key, so watch again, and see that nothing else changed."""
        *_, done, _, token, commit = checked(
            await link.exchange(
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

    def _head_after(self, read: _Read, step: Step[S]) -> Head:
        return Head(
            tick=read.head.tick + 1,
            cursor=read.orders[-1].id if read.orders else read.head.cursor,
            hash=digest(step.snapshot),
            commit=f"{self._nonce}{next(self._commits):x}",
            epoch=self.lease.epoch,
            at_ms=time.time_ns() // 1_000_000,
            status="finished" if step.finished else "running",
            applied=read.head.applied + len(read.orders),
            tick_length_ms=self._tick_length_ms,
        )

    async def _commit(
        self, link: Link, head: Head, step: Step[S], poison: list[Poison], traces: tuple[str, ...], *, whole: bool
    ) -> None:
        """Write the tick, with its snapshot if `whole`; the traces of its orders go along to those who show it."""
        keys = self._keys
        if poison:
            checked(await link.exchange(("XLEN", keys.poison)))
        traced = ("traces", " ".join(traces)) if traces else ()
        event = ("XADD", keys.events, f"{head.tick}-0", "at_ms", head.at_ms, "hash", head.hash, "epoch", head.epoch)
        commands: list[Command] = [
            ("MULTI",),
            *([("SET", keys.snapshot, step.snapshot)] if whole else ()),
            ("HSET", keys.head, *head.pairs()),
            (*event, "cursor", head.cursor, "events", step.events, "delta", step.delta, *traced),
            *(each.set_aside(keys) for each in poison),
            *await self._keyframe(link, head, step.snapshot),
            self.lease.renewal(),
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
        oldest = head.tick - self._config.keyframe_interval * (self._config.keyframes_kept - 1)
        names, cursor = checked(
            await link.exchange(("HKEYS", keys.keyframes), ("HGET", keys.keyframes, f"{oldest}:cursor"))
        )
        kept = [(as_bytes(name) or b"").decode() for name in as_list(names)]
        gone = [name for name in kept if int(name.partition(":")[0]) < oldest]
        commands: list[Command] = [("HSET", keys.keyframes, head.tick, snapshot, f"{head.tick}:cursor", head.cursor)]
        if gone:
            commands.append(("HDEL", keys.keyframes, *gone))
        if cursor is not None:
            commands.append(("XTRIM", keys.events, "MINID", oldest + 1))
            commands.append(("XTRIM", keys.orders, "MINID", as_bytes(cursor) or b""))
        return commands


def _traces(orders: list[LoggedOrder]) -> tuple[str, ...]:
    """Return the traces of orders, each once, and no more than a reader of the event stream can be told."""
    return tuple(dict.fromkeys(order.trace for order in orders if order.trace))[:_MOST_TRACES]
