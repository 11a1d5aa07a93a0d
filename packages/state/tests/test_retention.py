"""The history is bounded in bytes and shrinks before Redis is full. Ticks continue when orders and sims are rejected."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from fixtures.long import LONG, max_examples
from fixtures.sim import CONFIG, Sim
from sector.models import ORDER, Note, SimConfig
from sector.state.errors import HistoryGone, StorageFull, TooManySims
from sector.state.history import history
from sector.state.history.retention import KeyframeMark, Retention, load_keyframes
from sector.state.keys import SimKeys
from sector.state.log.admission import AdmissionPolicy, AdmissionResult, Admitted, Request
from sector.state.redis.connection import acquire_connection
from sector.state.redis.memory import NO_LIMIT, MemoryUse, memory_use
from sector.state.sims import lifecycle, requests
from sector.state.sims.exporter import Exporter
from sector.state.sims.importer import import_sim
from sector.state.sims.requests import ForkOf, SimRequest
from sector.state.tick.transaction import Ticker
from sector.world import SectorWorld

KEYS = SimKeys("default")
LIMIT = 256 * 2**10
NO_KEYFRAMES = CONFIG.model_copy(update={"keyframe_interval": 100_000})
LONG_NOTE = Note(faction="Me", text="\N{ROCKET}" * 280)
BODY = ORDER.dump_json(LONG_NOTE)


@pytest.fixture(autouse=True)
async def no_limit_afterwards(redis: Redis) -> AsyncIterator[None]:
    """Remove the memory limit, because other tests use the same Valkey."""
    yield
    await redis.config_set("maxmemory", 0)


async def create_limited_sim(redis: Redis, config: SimConfig = NO_KEYFRAMES, limit: int = LIMIT) -> Sim:
    """Create the sim `default` with at most `limit` bytes of history."""
    sim = await Sim.create(redis, config)
    sim.ticker = Ticker(
        redis,
        SectorWorld(),
        *await lifecycle.load_manifest(redis, "default"),
        sim.lease,
        max_history_bytes=limit,
    )
    return sim


async def stored_bytes(redis: Redis) -> int:
    """Return the size of the history of the sim in Redis."""
    return sum([await redis.memory_usage(key, samples=0) or 0 for key in KEYS.history])


async def admit(redis: Redis, *, count: int = 1, key: str | None = None) -> AdmissionResult:
    gate = AdmissionPolicy("default")
    async with gate.acquire_connection(redis) as connection:
        (verdict,) = await gate.admit(connection, [Request("me", [BODY] * count, key=key)])
    return verdict


async def limit_memory(redis: Redis, share: float) -> None:
    """Set the memory limit so that `share` of it is in use."""
    await redis.config_set("maxmemory", int((await redis.info("memory"))["used_memory"] / share))


async def test_long_notes_do_not_exceed_the_limit(redis: Redis) -> None:
    sim = await create_limited_sim(redis)
    largest = 0
    for _ in range(80):
        await sim.tick(*[LONG_NOTE] * 20)
        largest = max(largest, await stored_bytes(redis))
    assert largest < 1.5 * LIMIT
    assert (await sim.reader.head()).history_bytes > 4 * LIMIT


async def test_the_counted_bytes_are_the_stored_bytes(redis: Redis) -> None:
    sim = await create_limited_sim(redis, limit=2**30)
    for text in ("x", "\N{ROCKET}" * 280):
        before, head = await stored_bytes(redis), (await sim.tick()).head
        counted = head.history_bytes
        for _ in range(20):
            head = (await sim.tick(*[Note(faction="Me", text=text)] * 30)).head
        assert 0.6 < (head.history_bytes - counted) / (await stored_bytes(redis) - before) < 2


async def test_every_stored_tick_is_readable(redis: Redis) -> None:
    sim = await create_limited_sim(redis)
    hashes = {head.tick: head.hash for head in [(await sim.tick(*[LONG_NOTE] * 20)).head for _ in range(40)]}
    history_range = await history.get_range(redis, "default")
    assert len(history_range.keyframes) > 2
    assert history_range.first > 0
    for tick in range(history_range.first, 41):
        assert (await history.at_tick(redis, "default", tick)).hash == hashes[tick]
    with pytest.raises(HistoryGone):
        await history.at_tick(redis, "default", history_range.first - 1)


async def test_another_worker_continues_with_the_limit(redis: Redis) -> None:
    sim = await create_limited_sim(redis)
    await sim.tick(*[LONG_NOTE] * 20, times=10)
    for _ in range(6):
        config, map_blob = await lifecycle.load_manifest(redis, "default")
        sim.ticker = Ticker(redis, SectorWorld(), config, map_blob, sim.lease, max_history_bytes=LIMIT)
        for _ in range(10):
            await sim.tick(*[LONG_NOTE] * 20)
        assert await stored_bytes(redis) < 1.5 * LIMIT


async def test_keyframes_of_an_older_version_are_retained_as_before(redis: Redis) -> None:
    sim = await create_limited_sim(redis, CONFIG, 2**30)
    await sim.tick(LONG_NOTE, times=12)
    await redis.hdel(KEYS.keyframes, *[f"{tick}:bytes" for tick in range(0, 15, 5)])
    await redis.hdel(KEYS.head, "history_bytes")
    sim.ticker = Ticker(redis, SectorWorld(), *await lifecycle.load_manifest(redis, "default"), sim.lease)
    await sim.tick(times=4)
    assert (await history.get_range(redis, "default")).keyframes == (5, 10, 15)


async def test_an_imported_sim_has_the_limit(redis: Redis) -> None:
    sim = await create_limited_sim(redis, CONFIG, 2**30)
    for _ in range(12):
        await sim.tick(*[LONG_NOTE] * 20)
    records = [record async for record in (await Exporter.open(redis, "default")).records()]
    head = await import_sim(redis, "copy", iter(records))
    assert head.history_bytes > 12 * 20 * len(BODY)
    async with acquire_connection(redis, KEYS.head) as connection:
        marks = await load_keyframes(connection, SimKeys("copy"))
    assert [mark.tick for mark in marks] == [0, 5, 10]
    assert [mark.bytes_before for mark in marks] == sorted({mark.bytes_before for mark in marks})


async def test_history_is_trimmed_before_redis_is_full(redis: Redis) -> None:
    sim = await create_limited_sim(redis, limit=2**30)
    for _ in range(10):
        await sim.tick(*[LONG_NOTE] * 100)
    before = await stored_bytes(redis)
    await limit_memory(redis, 0.9)
    sim.ticker = Ticker(redis, SectorWorld(), *await lifecycle.load_manifest(redis, "default"), sim.lease)
    await sim.tick()
    # The events of this tick and the keyframe before it are still stored.
    assert len((await history.get_range(redis, "default")).keyframes) == 2
    await sim.tick()
    assert await stored_bytes(redis) < before / 10


async def test_a_finished_sim_trims_its_history(redis: Redis) -> None:
    sim = await create_limited_sim(redis, CONFIG.model_copy(update={"max_ticks": 8, "keyframe_interval": 2}), 2**30)
    for _ in range(7):
        await sim.tick(*[LONG_NOTE] * 100)
    assert (await sim.tick()).finished
    before = await stored_bytes(redis)
    await limit_memory(redis, 0.9)
    ticker = Ticker(redis, SectorWorld(), *await lifecycle.load_manifest(redis, "default"), sim.lease)
    for _ in range(2):
        assert (await ticker.tick()).finished
    assert await stored_bytes(redis) < before / 2
    assert (await history.get_range(redis, "default")).keyframes == (6, 8)


@pytest.mark.parametrize("key", ["", "once"])
async def test_orders_are_rejected_with_the_reason_and_ticks_continue(redis: Redis, key: str) -> None:
    sim = await create_limited_sim(redis)
    await limit_memory(redis, 0.86)
    refused = await admit(redis, key=key)
    assert isinstance(refused, StorageFull)
    assert "reserved for ticks" in str(refused)
    assert await redis.keys("*once*") == []
    for _ in range(50):
        assert (await sim.tick()).orders == 0


async def test_a_repeated_request_gets_its_response_when_orders_are_rejected(redis: Redis) -> None:
    await create_limited_sim(redis)
    first = await admit(redis, key="once")
    assert isinstance(first, Admitted)
    await limit_memory(redis, 0.9)
    again = await admit(redis, key="once")
    assert isinstance(again, Admitted)
    assert (again.ids, again.replayed) == (first.ids, True)


async def test_the_sim_continues_when_players_fill_redis(redis: Redis) -> None:
    """Orders arrive as fast as they are accepted, many more than Redis could store."""
    sim = await create_limited_sim(redis, limit=2**30)
    await redis.config_set("maxmemory", int((await redis.info("memory"))["used_memory"]) + 8 * 2**20)
    sent, refused = 0, 0
    while sent < (300 if LONG else 80) * 2**20:
        for number in range(60):
            verdict = await admit(redis, count=20, key=f"{sent}-{number}")
            sent += 20 * len(BODY)
            refused += isinstance(verdict, StorageFull)
        await sim.ticker.tick()
    assert refused
    before = (await sim.reader.view()).head.tick
    while not isinstance(await admit(redis), Admitted):
        await sim.ticker.tick()
    assert (await sim.tick()).head.tick > before


async def test_a_tick_has_a_limit_of_order_bytes(redis: Redis) -> None:
    sim = await create_limited_sim(redis)
    for _ in range(6):
        await admit(redis, count=1000)
    first, second = await sim.tick(), await sim.tick()
    assert 4 * 2**20 <= first.orders * len(BODY) < 4 * 2**20 + len(BODY)
    assert first.orders + second.orders == 6000


async def test_a_full_redis_recovers(redis: Redis) -> None:
    """Other data fills the reserve. A tick is rejected and trims the history, and the next one is committed."""
    sim = await create_limited_sim(redis, CONFIG.model_copy(update={"keyframes_kept": 100}), 2**30)
    for _ in range(20):
        await sim.tick(*[LONG_NOTE] * 100)
    # Buffers of clients come and go: a tenth of a percent is not certain to be too much.
    await limit_memory(redis, 1.02)
    with pytest.raises(OutOfMemoryError):
        await sim.ticker.tick()
    assert (await sim.tick()).head.tick == 21


async def test_no_sim_is_created_without_enough_memory(redis: Redis) -> None:
    await create_limited_sim(redis)
    await requests.request_sim(redis, "in-time", SimRequest())
    await requests.request_sim(redis, "fork", SimRequest(fork_of=ForkOf(sim="default", tick=0)))
    await limit_memory(redis, 0.7)
    with pytest.raises(StorageFull, match="no memory for another sim"):
        await requests.request_sim(redis, "late", SimRequest())
    with pytest.raises(StorageFull):
        await lifecycle.create(redis, "named", SectorWorld(), CONFIG)
    for sim_id in ("in-time", "fork"):
        assert "no memory" in str(await requests.reconcile(redis, sim_id, SectorWorld()))
        wish = await requests.get_request(redis, sim_id)
        assert wish is not None
        assert "no memory" in str(wish.fault)
    assert await lifecycle.list_ids(redis) == ["default"]


async def test_the_number_of_sims_is_limited(redis: Redis) -> None:
    await create_limited_sim(redis)
    await requests.request_sim(redis, "second", SimRequest(), max_sims=2)
    with pytest.raises(TooManySims, match="the limit of 2 sims is reached"):
        await requests.request_sim(redis, "third", SimRequest(), max_sims=2)
    await lifecycle.delete(redis, "second")
    await requests.request_sim(redis, "third", SimRequest(), max_sims=2)


async def test_a_redis_that_hides_its_memory_has_no_limit() -> None:
    assert memory_use(None) == NO_LIMIT
    assert memory_use(b"# Memory\r\nused_memory:5\r\nmaxmemory:0\r\n").share == 0
    assert memory_use(b"# Memory\r\nused_memory:5\r\nmaxmemory:10\r\n").share == 0.5


def test_the_limit_decreases_with_free_memory() -> None:
    limits = [MemoryUse(used, 100).history_limit(1000) for used in range(0, 120, 5)]
    assert limits[:15] == [1000] * 15
    assert limits[17:] == [0] * 7
    assert all(one >= other for one, other in pairwise(limits))


@settings(max_examples=max_examples(200), deadline=None)
@given(
    st.integers(1, 50),
    st.integers(1, 20),
    st.integers(0, 10_000),
    st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 2_000)), min_size=1, max_size=200),
)
def test_the_newest_keyframe_is_retained_within_the_limits(
    interval: int, count: int, max_bytes: int, ticks: list[tuple[int, int]]
) -> None:
    """Each tick writes some bytes and has a state of some size."""
    retention = Retention(interval, count, max_bytes)
    keyframes: tuple[KeyframeMark, ...] = (KeyframeMark(0, "0-0", 0),)
    written_bytes = 0
    for tick, (size, state) in enumerate(ticks, 1):
        step = retention.advance(KEYS, keyframes, KeyframeMark(tick, "0-0", written_bytes + size), bytes(state))
        assert step.written_bytes == written_bytes + size + state * step.is_keyframe
        assert set(step.keyframes) <= {*keyframes, KeyframeMark(tick, "0-0", written_bytes + size)}
        keyframes, written_bytes = step.keyframes, step.written_bytes
        assert tick % interval or step.is_keyframe
        assert (
            len(keyframes) == 1 + (step.is_keyframe and count > 1)
            or written_bytes - keyframes[0].bytes_before <= max_bytes
        )
        assert count == 1 or keyframes[0].tick < tick
        assert all(mark.tick > tick - interval * count for mark in keyframes)
        largest = max(max_bytes // 16, 2 * state)
        assert written_bytes - keyframes[-1].bytes_before <= largest + state
