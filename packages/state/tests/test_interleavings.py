"""Lease and commit under random interleavings of two workers on one server. Each step executes one command.

Between two commands the other worker may run, the lease may expire, or a connection may break with its commands lost or
late. A worker may die, and the server may return to an earlier state, like a Redis that restarts without its last
second.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydantic import JsonValue
from redis.exceptions import RedisError
from stand_in import Pool, Server

from fixtures.long import max_examples
from sector.models import LoggedOrder, SimConfig, Step
from sector.models.frame import Frame, decode, digest, encode
from sector.state.errors import CommitConflict, HistoryBroken, HistoryGone, LeaseLost
from sector.state.history.roll_forward import state_at_snapshot
from sector.state.keys import SimKeys
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import Connection
from sector.state.redis.replies import as_bytes, as_entry, as_list
from sector.state.sims.lifecycle import first_head, initial_commands
from sector.state.tick import lease
from sector.state.tick.head import FIELDS, Head
from sector.state.tick.head_state import StoredHead
from sector.state.tick.lease import Lease
from sector.state.tick.outcome import CommittedTick, FinishedSim
from sector.state.tick.transaction import Ticker

KEYS = SimKeys("s")
CONFIG = SimConfig(keyframe_interval=3, keyframes_kept=2)
TTL_MS = 100
WORKERS = range(2)


class Diary:
    """A world that stores the ids of all applied orders. Its state is its snapshot."""

    def create(self, config: SimConfig) -> tuple[bytes, bytes]:
        return encode(Frame("map", {}, {})), _page("snapshot", 0, "", [])

    def load(self, config: SimConfig, map_blob: bytes, snapshot: bytes) -> bytes:
        return snapshot

    def advance(self, state: bytes, orders: Sequence[LoggedOrder]) -> Step[bytes]:
        before = decode(state).meta
        tick, applied = before["tick"], before["applied"]
        assert isinstance(tick, int)
        assert isinstance(applied, list)
        page = (tick + 1, digest(state), [*applied, *(order.id for order in orders)])
        snapshot = _page("snapshot", *page)
        return Step(snapshot, snapshot, _page("delta", *page), b"", finished=False)


def _page(kind: str, tick: int, parent: str, applied: list[JsonValue]) -> bytes:
    return encode(Frame(kind, {"tick": tick, "parent": parent, "applied": applied}, {}))


@dataclass(slots=True)
class Worker:
    """A minimal worker: it acquires the lease, ticks, and retries after any error."""

    name: str
    pool: Pool
    ticker_kind: type[Ticker[bytes]]
    lease: Lease | None = None
    ticks: list[CommittedTick | FinishedSim] = field(default_factory=list)

    async def run(self) -> None:
        ticker: Ticker[bytes] | None = None
        while True:
            try:
                if self.lease is None or ticker is None:
                    self.lease = await lease.acquire(self.pool.redis, "s", self.name, TTL_MS)
                    if self.lease is None:
                        continue
                    ticker = self.ticker_kind(self.pool.redis, Diary(), CONFIG, b"", self.lease)
                # A tick in a thread would take more than one step.
                ticker._step_runner.quick = True
                self.ticks.append(await ticker.tick())
            except LeaseLost:
                self.lease = None
            except (CommitConflict, RedisError):
                continue


class Interleavings(RuleBasedStateMachine):
    """The rules are the possible steps. The invariants are the guarantees."""

    ticker_kind: type[Ticker[bytes]] = Ticker

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.server = Server()
        self.given: list[str] = []
        self.committed: dict[int, str] = {}
        self.epochs: list[int] = []
        self.checkpoints: list[tuple[Server, list[str], dict[int, str], list[int]]] = []
        map_blob, snapshot = Diary().create(CONFIG)
        for command in initial_commands(
            KEYS, first_head(0, digest(snapshot), 0, "running"), CONFIG, map_blob, snapshot
        ):
            self.server.call(*command)
        self.workers: list[Worker] = []
        self.tasks: list[asyncio.Task[None]] = []
        for number in WORKERS:
            self.workers.append(Worker(f"w{number}", self.server.client(), self.ticker_kind))
            self.tasks.append(self.loop.create_task(self.workers[number].run()))
        self._settle()
        # The first worker holds the lease.
        self.serve_through_exec(0)

    def _settle(self) -> None:
        """Let every worker run until it waits for a reply. Raises the unexpected errors of workers."""

        def goes_on(worker: Worker, task: asyncio.Task[None]) -> bool:
            return not task.done() and not any(connection.waits for connection in worker.pool.all)

        async def until_all_wait() -> None:
            while any(map(goes_on, self.workers, self.tasks)):
                await asyncio.sleep(0)

        self.loop.run_until_complete(until_all_wait())
        for task in self.tasks:
            if task.done():
                task.result()

    def _serve(self, number: int) -> bytes:
        """Serve one command of a worker and return its name."""
        connection = next(connection for connection in self.workers[number].pool.all if connection.waits)
        name = connection.inbox[0][0]
        connection.serve()
        self._settle()
        return name

    @rule(number=st.sampled_from(WORKERS), commands=st.integers(1, 6))
    def serve(self, number: int, commands: int) -> None:
        for _ in range(commands):
            self._serve(number)
            self._witness()

    @rule(number=st.sampled_from(WORKERS))
    def serve_up_to_exec(self, number: int) -> None:
        """The next command is an EXEC, which decides whether the tick is committed."""
        for _ in range(30):
            connection = next(connection for connection in self.workers[number].pool.all if connection.waits)
            if connection.inbox[0][0] == b"EXEC":
                return
            self._serve(number)

    @rule(number=st.sampled_from(WORKERS))
    def a_worker_is_paused_beyond_its_lease(self, number: int) -> None:
        """The worker stops with an EXEC on the way, or before it sends one."""
        self.serve_up_to_exec(number)
        self.time_passes(TTL_MS + 1)

    @rule(number=st.sampled_from(WORKERS))
    def serve_through_exec(self, number: int) -> None:
        for _ in range(30):
            if self._serve(number) == b"EXEC":
                break
        self._witness()

    @rule(ms=st.sampled_from([TTL_MS // 2, TTL_MS + 1]))
    def time_passes(self, ms: int) -> None:
        self.server.pass_time(ms)

    @rule(orders=st.integers(1, 3))
    def orders_are_given(self, orders: int) -> None:
        for _ in range(orders):
            order = ("issuer", "x", "scope", "player", "order", "{}")
            self.given.append((as_bytes(self.server.call("XADD", KEYS.orders, "*", *order)) or b"").decode())

    @rule(number=st.sampled_from(WORKERS), deliver=st.booleans())
    def a_connection_breaks(self, number: int, deliver: bool) -> None:
        next(connection for connection in self.workers[number].pool.all if connection.waits).break_off(deliver=deliver)
        self._settle()

    @rule(number=st.sampled_from(WORKERS), deliver=st.booleans())
    def a_worker_dies(self, number: int, deliver: bool) -> None:
        """Another worker with the same name starts."""
        worker = self.workers[number]
        self.tasks[number].cancel()
        self.loop.run_until_complete(asyncio.wait((self.tasks[number],)))
        for connection in worker.pool.all:
            connection.break_off(deliver=deliver)
        late = [connection for connection in worker.pool.all if connection.inbox]
        self.workers[number] = Worker(worker.name, self.server.client(), self.ticker_kind)
        self.workers[number].pool.all += late
        self.tasks[number] = self.loop.create_task(self.workers[number].run())
        self._settle()

    @precondition(
        lambda self: any(
            connection.broken and connection.inbox for worker in self.workers for connection in worker.pool.all
        )
    )
    @rule(data=st.data())
    def something_arrives_late(self, data: st.DataObject) -> None:
        late = [
            connection
            for worker in self.workers
            for connection in worker.pool.all
            if connection.broken and connection.inbox
        ]
        data.draw(st.sampled_from(late)).serve()
        self._witness()

    @rule()
    def redis_saves(self) -> None:
        self.checkpoints = [(self.server.copy(), list(self.given), dict(self.committed), list(self.epochs))]

    @precondition(lambda self: bool(self.checkpoints))
    @rule()
    def redis_restarts_from_what_it_saved(self) -> None:
        """The changes after the save are lost, both orders and ticks, and all connections break."""
        self.server.restore(self.checkpoints[0][0])
        _, given, committed, epochs = self.checkpoints[0]
        self.given, self.committed, self.epochs = list(given), dict(committed), list(epochs)
        for worker in self.workers:
            worker.ticks.clear()
            for connection in worker.pool.all:
                connection.break_off(deliver=False)
        self._settle()

    def _witness(self) -> None:
        """Record each commit."""
        for entry in as_list(self.server.call("XRANGE", KEYS.events, "-", "+")):
            entry_id, fields = as_entry(entry)
            tick = int(entry_id.partition("-")[0])
            if tick not in self.committed:
                assert tick == len(self.committed) + 1, f"tick {tick} was committed after {len(self.committed)}"
                self.committed[tick] = fields[b"hash"].decode()
                self.epochs.append(int(fields[b"epoch"]))
            assert self.committed[tick] == fields[b"hash"].decode(), f"tick {tick} was committed twice"

    def _head(self) -> Head:
        head = Head.parse(as_list(self.server.call("HMGET", KEYS.head, *FIELDS)))
        assert head is not None
        return head

    def _meta(self) -> Mapping[str, JsonValue]:
        """Return the meta of the state at head, from the snapshot and the ticks after it."""
        snapshot = as_bytes(self.server.call("GET", KEYS.snapshot)) or b""
        since = self.server.call("XRANGE", KEYS.events, f"{state_at_snapshot(snapshot, 's').tick + 1}-0", "+")
        return decode(StoredHead("s", self._head(), snapshot, as_list(since)).snapshot_bytes()).meta

    @invariant()
    def head_snapshot_and_events_fit_together(self) -> None:
        head = self._head()
        assert head.tick == len(self.committed)
        assert head.tick == 0 or head.hash == self.committed[head.tick]
        meta = self._meta()
        assert meta["tick"] == head.tick
        assert head.tick < 2 or meta["parent"] == self.committed[head.tick - 1], "history forked"

    @invariant()
    def every_order_is_applied_once_and_in_log_order(self) -> None:
        head = self._head()
        applied = self._meta()["applied"]
        assert isinstance(applied, list)
        assert applied == self.given[: len(applied)]
        assert head.cursor == (applied[-1] if applied else "0-0")

    @invariant()
    def epochs_never_decrease(self) -> None:
        assert self.epochs == sorted(self.epochs)
        assert self._head().epoch >= (self.epochs[-1] if self.epochs else 0)

    @invariant()
    def what_a_worker_calls_committed_is(self) -> None:
        for worker in self.workers:
            for tick in worker.ticks:
                assert self.committed.get(tick.head.tick) == tick.head.hash

    def teardown(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.wait(self.tasks))
        self.loop.close()


class WithoutWatch(Ticker[bytes]):
    """A ticker that watches no key."""

    def _watch(self) -> Command:
        return ("GET", KEYS.lease)


class WithCursorOutside(Ticker[bytes]):
    """A ticker that moves the cursor with a command after the transaction."""

    async def _commit(self, connection: Connection, head: Head, changes: list[Command]) -> None:
        class CursorLeftOut(Connection):
            async def pipeline(self, *commands: Command) -> list[object]:  # type: ignore[override]  # as the sabotage has it
                without_cursor = [
                    (*command[:4], *command[6:]) if command[:2] == ("HSET", KEYS.head) else command
                    for command in commands
                ]
                return list(await super().pipeline(*without_cursor))

        await super()._commit(CursorLeftOut(connection._connection), head, changes)
        await connection.pipeline(("HSET", KEYS.head, "cursor", head.cursor))


SEARCH = settings(
    max_examples=max_examples(400),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def test_every_interleaving_satisfies_the_guarantees() -> None:
    run_state_machine_as_test(Interleavings, settings=SEARCH)


@pytest.mark.parametrize("sabotage", [WithoutWatch, WithCursorOutside])
def test_the_model_detects_a_missing_part_of_the_protocol(sabotage: type[Ticker[bytes]]) -> None:
    class Sabotaged(Interleavings):
        ticker_kind = sabotage

    # Any counterexample is enough, and the search is the same each time.
    until_found = settings(
        SEARCH, max_examples=2000, phases=[Phase.generate], report_multiple_bugs=False, derandomize=True, database=None
    )
    with pytest.raises((AssertionError, HistoryBroken, HistoryGone)):
        run_state_machine_as_test(Sabotaged, settings=until_found)
