"""A sim can have any world that implements the World protocol."""

from array import array
from collections.abc import Sequence
from copy import replace

import pytest
from pydantic import JsonValue
from redis.asyncio import Redis

from fixtures.admission import append_orders
from sector.models import LoggedOrder, SimConfig, Step
from sector.models.frame import Column, Frame, Table, decode, digest, encode
from sector.state.errors import WorldFailed
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.state.tick.transaction import Ticker
from sector.state.watch.reader import SimReader
from sector.state.world import World


class Counter:
    """A world with one number: the total length of the bodies of all orders. Its state is the snapshot itself."""

    def create(self, config: SimConfig) -> tuple[bytes, bytes]:
        return encode(Frame("map", {}, {})), self._frame("snapshot", 0, config.seed, "")

    def load(self, config: SimConfig, map_blob: bytes, snapshot: bytes) -> bytes:
        return snapshot

    def advance(self, state: bytes, orders: Sequence[LoggedOrder]) -> Step[bytes]:
        before = decode(state)
        tick = before.meta["tick"]
        assert isinstance(tick, int)
        total = int(before.tables["counters"].columns["total"].values[0]) + sum(len(each.body) for each in orders)
        snapshot = self._frame("snapshot", tick + 1, total, digest(state))
        changed = Table(1, {"row": _column(0), "total": _column(total)})
        delta = encode(Frame("delta", decode(snapshot).meta, {"counters.changed": changed}))
        events = encode(Frame("events", {"tick": tick + 1}, {}))
        return Step(snapshot, snapshot, delta, events, finished=total >= 100)

    def _frame(self, kind: str, tick: int, total: int, parent: str) -> bytes:
        meta: dict[str, JsonValue] = {"tick": tick, "parent": parent, "status": "running", "winner": None}
        return encode(Frame(kind, meta, {"counters": Table(1, {"total": _column(total)}, prefix="C")}))


def _column(value: int) -> Column:
    return Column(memoryview(array("q", [value])))


async def test_another_world_runs_and_changes_workers(redis: Redis) -> None:
    world = Counter()
    await lifecycle.create(redis, "count", world, SimConfig(seed=7))
    held = await lease.acquire(redis, "count", "one", 60_000)
    assert held is not None
    await append_orders(redis, "count", "me", [b"12345"])
    await Ticker(redis, world, *await lifecycle.load_manifest(redis, "count"), held).tick()
    successor = Ticker(redis, world, *await lifecycle.load_manifest(redis, "count"), held)
    await append_orders(redis, "count", "me", [b"123"])
    assert not (await successor.tick()).finished
    view = await SimReader(redis, "count").view()
    assert view.rows()["counters"] == [{"id": "C0", "total": 15}]
    assert view.head.tick == 2
    await append_orders(redis, "count", "me", [b"x" * 85])
    assert (await successor.tick()).finished


class Miscounting(Counter):
    """Its delta lacks the number that its snapshot has."""

    def advance(self, state: bytes, orders: Sequence[LoggedOrder]) -> Step[bytes]:
        return replace(super().advance(state, orders), delta=super().advance(state, ()).delta)


async def test_a_delta_that_contradicts_its_snapshot_stops_the_sim(redis: Redis) -> None:
    await lifecycle.create(redis, "count", Miscounting(), SimConfig(seed=7))
    held = await lease.acquire(redis, "count", "one", 60_000)
    assert held is not None
    await append_orders(redis, "count", "me", [b"12345"])
    with pytest.raises(WorldFailed, match="the delta of a step gives the state hash"):
        await Ticker(redis, Miscounting(), *await lifecycle.load_manifest(redis, "count"), held).tick()
    assert (await SimReader(redis, "count").head()).tick == 0


class EarlierCounter:
    """A world with the method name of version 0.11."""

    def __init__(self) -> None:
        world = Counter()
        self.found, self.load, self.advance = world.create, world.load, world.advance


async def test_a_world_with_the_earlier_method_name_works_with_a_warning(redis: Redis) -> None:
    with pytest.warns(DeprecationWarning, match="EarlierCounter.found is now create"):
        assert await lifecycle.create(redis, "count", EarlierCounter(), SimConfig(seed=7))  # type: ignore[arg-type]


async def test_the_empty_method_of_the_protocol_creates_no_world(redis: Redis) -> None:
    # A world that inherits from the protocol, with the method name of 0.11.
    earlier: type[World[bytes]] = type("Earlier", (World,), {"found": lambda _, config: Counter().create(config)})
    with pytest.warns(DeprecationWarning, match="Earlier.found is now create"):
        assert await lifecycle.create(redis, "count", earlier(), SimConfig(seed=7))
