"""Roll forward: a snapshot and the entries of the event stream give a later state, or an error that names the tick."""

from copy import replace

import pytest
from redis.asyncio import Redis

from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_string
from sector.models import Join
from sector.models.frame import Frame, encode
from sector.state.errors import HistoryBroken, HistoryGone, SimNotFound
from sector.state.history.roll_forward import StateAtTick, roll_forward, state_at_snapshot
from sector.state.keys import SimKeys
from sector.state.redis.connection import Connection, execute
from sector.state.redis.replies import Reply, as_list
from sector.state.sims.lifecycle import load_manifest
from sector.state.tick.head import FIELDS, Head
from sector.state.tick.transaction import Ticker
from sector.world import SectorWorld

KEYS = SimKeys("default")
QUIET = CONFIG.model_copy(update={"puppets": (), "keyframe_interval": 1000})


async def history(redis: Redis) -> tuple[Head, StateAtTick, list[Reply]]:
    """Return the head after four ticks, the state after the first, and the entries of the later ticks."""
    sim = await Sim.create(redis, QUIET)
    await sim.tick()
    past = state_at_snapshot(await read_string(redis, KEYS.snapshot), "default")
    await sim.tick(Join(faction="Me"))
    tick = await sim.tick(times=2)
    return tick.head, past, as_list(await execute(redis, "XRANGE", KEYS.events, "2-0", "+"))


async def test_rolling_forward_gives_the_state_of_the_last_entry(redis: Redis) -> None:
    head, past, entries = await history(redis)
    assert (past.sim_id, past.tick, past.cursor) == ("default", 1, None)
    later = roll_forward(past, entries)
    assert (later.sim_id, later.tick, later.cursor, later.hash) == ("default", 4, head.cursor, head.hash)
    assert state_at_snapshot(later.snapshot(), "default", head.cursor) == later


async def test_a_gap_or_a_delta_that_does_not_fit_is_an_error_with_its_tick(redis: Redis) -> None:
    _, past, entries = await history(redis)
    with pytest.raises(HistoryGone) as gone:
        roll_forward(past, [entries[0], entries[2]])
    assert (gone.value.sim_id, gone.value.tick) == ("default", 3)
    entry_id, fields = as_list(entries[0])
    flat = as_list(fields)
    at = flat.index(b"delta") + 1
    for delta in (b"nonsense", encode(Frame("delta", {"tick": 9}, {}))):
        with pytest.raises(HistoryBroken, match="the history of sim 'default' is damaged at tick 2: ") as broken:
            roll_forward(past, [[entry_id, [*flat[:at], delta, *flat[at + 1 :]]]])
        assert (broken.value.sim_id, broken.value.tick) == ("default", 2)
        assert broken.value.reason == str(broken.value.__cause__)


async def test_a_state_with_another_hash_is_an_error(redis: Redis) -> None:
    _, past, _ = await history(redis)
    with pytest.raises(HistoryBroken, match="and other was recorded") as broken:
        replace(past, hash="other").snapshot()
    assert (broken.value.sim_id, broken.value.tick) == ("default", 1)


def test_a_snapshot_without_a_tick_is_an_error() -> None:
    with pytest.raises(HistoryBroken) as broken:
        state_at_snapshot(encode(Frame("snapshot", {}, {})), "default")
    assert (broken.value.sim_id, broken.value.tick) == ("default", 0)
    assert broken.value.reason == str(broken.value.__cause__)


async def test_a_sim_without_a_snapshot_does_not_exist(redis: Redis) -> None:
    sim = await Sim.create(redis, QUIET)
    await redis.delete(KEYS.snapshot)
    with pytest.raises(SimNotFound, match="sim 'default' does not exist"):
        await sim.tick()


async def test_ticks_since_the_snapshot_are_read_in_few_pages(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    sim = await Sim.create(redis, QUIET.model_copy(update={"systems": 300}))
    await sim.tick(times=1 + 17)
    sent: list[object] = []
    pipeline = Connection.pipeline

    async def recorded(connection: Connection, *commands: tuple[str | bytes | int, ...]) -> list[Reply]:
        sent.append(commands[0][:2])
        return await pipeline(connection, *commands)

    monkeypatch.setattr(Connection, "pipeline", recorded)
    successor = Ticker(redis, SectorWorld(), *await load_manifest(redis, "default"), sim.lease)
    sent.clear()
    assert (await successor.tick()).head.tick == 19
    pages = [("XRANGE", KEYS.events)] * 3
    keyframes = [("HKEYS", KEYS.keyframes), ("HMGET", KEYS.keyframes)]
    assert sent == [("WATCH", KEYS.lease), ("GET", KEYS.snapshot), *pages, *keyframes, ("MULTI",)]


def test_fields_missing_from_an_older_head_are_unknown() -> None:
    head = Head(3, "0-0", "hash", "commit", 7, 8, "running", 5, 250, 1000)
    fields: list[Reply] = [str(value).encode() for value in head]
    assert Head.parse(fields) == head
    assert Head.parse([*fields[:-1], None]) == head._replace(history_bytes=0)
    assert Head.parse([*fields[:-2], None, None]) == head._replace(history_bytes=0, tick_length_ms=None)
    older = head._replace(history_bytes=0, tick_length_ms=None, applied=None)
    assert Head.parse([*fields[:-3], None, None, None]) == older
    assert head.pairs() == [part for pair in zip(FIELDS, head, strict=True) for part in pair]
    assert Head.parse([None] * len(FIELDS)) is None


def test_a_number_that_is_not_known_is_stored_as_minus_one() -> None:
    head = Head(3, "0-0", "hash", "commit", 7, 8, "running", 5)
    stored = head.pairs()[1::2]
    assert stored == [3, "0-0", "hash", "commit", 7, 8, "running", 5, -1, 0]
    assert Head.parse([str(value).encode() for value in stored]) == head
