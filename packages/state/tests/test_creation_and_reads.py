"""Creation of a sim, its order log, and reads."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from fixtures.admission import append_orders
from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_stream
from sector.models import Join, Note, SimConfig, Snapshot
from sector.state.errors import HistoryRewound, SimNotFound, StateError
from sector.state.history.event_codec import Event
from sector.state.keys import SIMS, SimKeys
from sector.state.redis.client import connect
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.state.watch.reader import SimReader
from sector.world import SectorWorld

KEYS = SimKeys("default")


async def test_of_concurrent_calls_one_creates_the_sim(redis: Redis) -> None:
    tries = [lifecycle.create(redis, "default", SectorWorld(), CONFIG) for _ in range(8)]
    assert sorted(await asyncio.gather(*tries)) == [False] * 7 + [True]
    assert await redis.smembers(SIMS) == {b"default"}


async def test_creating_an_existing_sim_changes_nothing(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=2)
    assert not await lifecycle.create(redis, "default", SectorWorld(), SimConfig())
    assert (await sim.reader.head()).tick == 2
    assert (await lifecycle.load_manifest(redis, "default"))[0] == CONFIG


async def test_creation_after_a_lease_was_acquired_retains_the_epoch(redis: Redis) -> None:
    held = await lease.acquire(redis, "default", "early", 60_000)
    assert held is not None
    await lifecycle.create(redis, "default", SectorWorld(), CONFIG)
    assert (await SimReader(redis, "default").head()).epoch == held.epoch


async def test_an_error_names_a_sim_that_does_not_exist(redis: Redis) -> None:
    for attempt in (SimReader(redis, "nowhere").view(), lifecycle.load_manifest(redis, "nowhere")):
        with pytest.raises(SimNotFound, match="nowhere"):
            await attempt


async def test_heads_have_the_order_of_their_sims(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=2)
    assert await lifecycle.load_heads(redis, []) == []
    assert await lifecycle.load_heads(redis, ["nowhere", "default"]) == [None, await sim.reader.head()]


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (b"{", "the config of sim 'default' cannot be read: JSON: is not JSON"),
        (b'{"colour": "red"}', "the config of sim 'default' cannot be read: colour: is not a known field"),
    ],
)
async def test_an_unreadable_config_is_an_error_of_the_sim(sim: Sim, redis: Redis, config: bytes, error: str) -> None:
    assert sim.lease.epoch == 1
    await redis.set(SimKeys("default").config, config)
    with pytest.raises(StateError, match=error):
        await lifecycle.load_manifest(redis, "default")


async def test_a_view_is_a_snapshot_for_clients(sim: Sim) -> None:
    await sim.tick(Join(faction="Me"))
    view = await sim.reader.view()
    snapshot = Snapshot.model_validate(view.rows(), strict=False)
    assert (snapshot.sim, snapshot.tick, snapshot.state_hash) == ("default", 1, view.head.hash)
    assert [faction.id for faction in snapshot.factions] == ["Crimson", "Me"]
    assert len(snapshot.systems) == CONFIG.systems
    assert {system.owner for system in snapshot.systems} == {None, "Crimson", "Me"}


async def test_a_view_is_reloaded_only_when_the_head_has_moved(sim: Sim) -> None:
    first = await sim.reader.view()
    assert await sim.reader.view() is first
    await sim.tick()
    assert (await sim.reader.view()).head.tick == 1


async def test_a_recreated_sim_has_its_new_map(sim: Sim, redis: Redis) -> None:
    await sim.reader.view()
    await redis.flushall()
    await lifecycle.create(redis, "default", SectorWorld(), CONFIG.model_copy(update={"systems": 30}))
    assert len(Snapshot.model_validate((await sim.reader.view()).rows(), strict=False).systems) == 30


async def test_pages_of_events_are_in_order_without_repetition(sim: Sim) -> None:
    for n in range(50):
        await sim.tick(*([Join(faction="Me")] if n == 0 else []), Note(faction="Me", text=f"{n}"))
    reader = SimReader(sim.redis, "default")
    # Older ticks were trimmed. The rest is complete.
    everything = (await reader.events((0, 0), 100_000)).events
    paged, after = [], (0, 0)
    while (page := await reader.events(after, 7)).events:
        paged += page.events
        assert page.more is (paged != everything)
        after = page.next
    assert paged == everything
    assert len({event["id"] for event in paged}) == len(paged)
    assert all(isinstance(event["at_ms"], int) for event in paged)


async def test_filters_return_all_matching_events_even_if_they_are_rare(sim: Sim) -> None:
    for n in range(12):
        await sim.tick(*([Note(faction="Crimson", text=f"{n}")] if n in (4, 11) else []))
    matches, after, more = list[object](), (0, 0), True
    while more:
        page = await sim.reader.events(after, 1, lambda event: event["type"] == "note")
        matches += [event["text"] for event in page.events]
        after, more = page.next, page.more
    assert matches == ["4", "11"]
    assert after[0] == 12


async def test_a_search_for_events_stops_after_some_ticks_and_can_continue(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sector.state.watch.reader._PAGE", 2)
    monkeypatch.setattr("sector.state.watch.reader._MAX_PAGES", 3)
    await sim.tick(times=8)
    await sim.tick(Note(faction="Crimson", text="late"))

    def is_note(event: Event) -> bool:
        return event["type"] == "note"

    page = await sim.reader.events((0, 0), 10, is_note)
    assert (page.events, page.next[0], page.more) == ([], 6, True)
    page = await sim.reader.events(page.next, 10, is_note)
    assert ([event["text"] for event in page.events], page.more) == (["late"], False)


async def test_following_yields_each_tick_as_it_is_committed(sim: Sim) -> None:
    ticks: list[int] = []

    async def follow() -> None:
        async for tick in SimReader(sim.redis, "default").follow(0, block_ms=200):
            ticks.append(tick.tick)
            if tick.tick == 4:
                return

    following = asyncio.create_task(follow())
    await sim.tick(times=4)
    await asyncio.wait_for(following, 60)
    assert ticks == [1, 2, 3, 4]


async def test_following_detects_rewound_history(sim: Sim) -> None:
    with pytest.raises(HistoryRewound, match="went back from tick 99 to tick 0"):
        await anext(aiter(SimReader(sim.redis, "default").follow(99, block_ms=50)))


async def test_either_all_orders_of_a_request_are_appended_or_none(sim: Sim, redis: Redis) -> None:
    assert sim.lease.epoch == 1
    await lifecycle.create(redis, "other", SectorWorld(), CONFIG)
    ids = await append_orders(redis, "default", "me", [b"1", b"2"])
    assert [entry_id for entry_id, _ in await read_stream(redis, KEYS.orders)] == ids
    await redis.set(SimKeys("other").orders, "not a stream")
    with pytest.raises(ResponseError):
        await append_orders(redis, "other", "me", [b"1", b"2"])


def test_an_unknown_scheme_is_rejected() -> None:
    with pytest.raises(ValueError, match="redis://"):
        connect("http://localhost:6379")


async def test_events_that_version_0_1_stored_as_json_are_readable(sim: Sim, redis: Redis) -> None:
    events = b'[{"type": "note", "text": "hello"}, {"type": "x"}]'
    old = ("at_ms", "7", "hash", "00", "cursor", "0-0", "delta", b"", "events", events)
    await redis.execute_command("XADD", SimKeys("default").events, "1-0", *old)
    matches = (await sim.reader.events((0, 0), 10)).events
    assert [(event["id"], event["type"]) for event in matches] == [("1-0", "note"), ("1-1", "x")]
    assert [event["id"] for event in (await sim.reader.events((1, 0), 10)).events] == ["1-1"]
