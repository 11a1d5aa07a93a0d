"""Uses of the stored history: reads at earlier ticks, forks, import and deletion."""

import io
from collections.abc import Callable, Iterator
from copy import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from rivals import run_before_command

from fixtures.processes import run_module
from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_stream, read_string
from fixtures.users import as_user
from sector.models import Join, MoveFleet, Note
from sector.models.archive import ArchiveWriter, Record, read_archive
from sector.models.frame import digest
from sector.state.errors import HistoryBroken, HistoryGone, SimExists, SimNotFound
from sector.state.history import history
from sector.state.keys import SimKeys
from sector.state.redis.connection import acquire_connection, execute
from sector.state.sims import fork, lifecycle, requests
from sector.state.sims.exporter import Exporter
from sector.state.sims.importer import Importer, import_sim
from sector.state.sims.requests import SimRequest
from sector.state.tick import lease
from sector.state.tick.transaction import Ticker
from sector.state.watch.reader import SimReader
from sector.world import Position, SectorWorld

KEYS = SimKeys("default")


async def export_records(redis: Redis, sim_id: str = "default") -> list[Record]:
    """Return the records of a sim after a round trip through a file."""
    stream = io.BytesIO()
    writer = ArchiveWriter(stream)
    async for record in (await Exporter.open(redis, sim_id)).records():
        writer.write(record)
    writer.close()
    stream.seek(0)
    return list(read_archive(stream))


async def ticker_of(redis: Redis, sim_id: str) -> Ticker[Position]:
    held = await lease.acquire(redis, sim_id, "test", 60_000)
    assert held is not None
    return Ticker(redis, SectorWorld(), *await lifecycle.load_manifest(redis, sim_id), held)


async def test_the_state_at_every_stored_tick_is_unchanged(sim: Sim, redis: Redis) -> None:
    """There are keyframes every 5 ticks, and 3 are retained.

    The other states come from deltas, and have the recorded hashes.
    """
    hashes: dict[int, str] = {}
    for _ in range(23):
        tick = await sim.tick(Join(faction="Me"), Note(faction="Me", text="x"))
        hashes[tick.head.tick] = tick.head.hash
    history_range = await history.get_range(redis, "default")
    assert (history_range.first, history_range.head.tick, history_range.keyframes) == (10, 23, (10, 15, 20))
    for tick_number in range(10, 24):
        assert digest((await history.at_tick(redis, "default", tick_number)).snapshot()) == hashes[tick_number]
    for beyond in (-1, 0, 9, 24):
        with pytest.raises(HistoryGone, match=f"tick {beyond} of"):
            await history.at_tick(redis, "default", beyond)
    with pytest.raises(SimNotFound):
        await history.at_tick(redis, "nowhere", 0)


async def test_an_altered_delta_is_detected(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=3)
    _, fields = (await read_stream(redis, KEYS.events))[1]
    await redis.xdel(KEYS.events, "2-0", "3-0")
    with pytest.raises(HistoryGone, match="tick 2"):
        await history.at_tick(redis, "default", 3)
    await redis.delete(KEYS.events)
    for tick in (1, 2):
        await execute(redis, "XADD", KEYS.events, f"{tick}-0", *(part for pair in fields.items() for part in pair))
    with pytest.raises(HistoryBroken, match="does not follow"):
        await history.at_tick(redis, "default", 2)


async def test_a_missing_or_altered_keyframe_is_detected(sim: Sim, redis: Redis) -> None:
    assert (await history.keyframe(redis, "default", 0)).meta["tick"] == 0
    with pytest.raises(HistoryGone, match="tick 5 of"):
        await history.keyframe(redis, "default", 5)
    await execute(redis, "HSET", KEYS.keyframes, "0", (await read_string(redis, KEYS.snapshot))[:-1])
    with pytest.raises(HistoryBroken, match="its digest does not match"):
        await history.at_tick(redis, "default", (await sim.tick()).head.tick)


async def test_a_fork_begins_with_the_state_of_the_other_sim_and_is_independent(sim: Sim, redis: Redis) -> None:
    await sim.tick(Join(faction="Me"), times=7)
    await sim.tick(times=3)
    head = await fork.fork(redis, "default", 8, "other")
    assert (head.tick, head.hash) == (8, (await history.at_tick(redis, "default", 8)).hash)
    assert await lifecycle.list_ids(redis) == ["default", "other"]
    other = await ticker_of(redis, "other")
    # Without orders both sims have the same events. Orders of one sim do not appear in the other.
    for tick in (9, 10):
        assert (await other.tick()).head.hash == (await history.at_tick(redis, "default", tick)).hash
    for _ in range(12):
        await other.tick()
    assert (await history.get_range(redis, "other")).keyframes == (10, 15, 20)
    assert (await sim.reader.head()).tick == 10
    with pytest.raises(SimExists, match="'other'"):
        await fork.fork(redis, "default", 8, "other")
    with pytest.raises(HistoryGone):
        await fork.fork(redis, "default", 99, "third")


async def test_a_fork_does_not_overwrite_a_sim_that_another_client_creates(
    sim: Sim, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sim.tick(times=3)

    async def create() -> None:
        await lifecycle.create(redis, "other", SectorWorld(), CONFIG)

    run_before_command(monkeypatch, "MULTI", create)
    with pytest.raises(SimExists, match="'other'"):
        await fork.fork(redis, "default", 3, "other")
    assert (await SimReader(redis, "other").head()).tick == 0


async def test_an_imported_sim_has_the_same_history_and_continues_equally(sim: Sim, redis: Redis) -> None:
    home = (await sim.tick(Join(faction="Me"))).head
    assert home.tick == 1
    await redis.xadd(KEYS.orders, {"not": "ours"})
    await sim.tick(MoveFleet(faction="Me", system="S0", target="S1", ships=1), times=8)
    records = await export_records(redis)
    head = await import_sim(redis, "copy", iter(records))
    assert (head.tick, head.hash) == (9, (await sim.reader.head()).hash)
    again = await export_records(redis, "copy")
    assert again[1:] == records[1:]
    everything = (await sim.reader.events((0, 0), 1000)).events
    assert (await SimReader(redis, "copy").events((0, 0), 1000)).events == everything
    copy = await ticker_of(redis, "copy")
    assert (await copy.tick()).head.hash == (await sim.tick()).head.hash
    with pytest.raises(SimExists, match="'copy'"):
        await import_sim(redis, "copy", iter(records))


async def test_an_interrupted_import_leaves_no_sim_and_can_be_repeated(sim: Sim, redis: Redis) -> None:
    await sim.tick(Join(faction="Me"), times=8)
    records = await export_records(redis)

    class Unplugged(Exception):
        pass

    def cut() -> Iterator[Record]:
        yield from records[:5]
        raise Unplugged

    with pytest.raises(Unplugged):
        await import_sim(redis, "copy", cut())
    assert await lifecycle.list_ids(redis) == ["default"]
    with pytest.raises(SimNotFound):
        await history.get_range(redis, "copy")
    with pytest.raises(HistoryBroken, match="tick 4 follows"):
        await import_sim(redis, "copy", iter([*records[:3], *records[5:]]))
    await import_sim(redis, "copy", iter(records))
    assert await export_records(redis, "copy") == [*(await export_records(redis, "copy"))[:1], *records[1:]]


async def test_an_import_does_not_overwrite_a_sim_that_another_client_creates(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=3)
    records = await export_records(redis)
    async with acquire_connection(redis, SimKeys("copy").head) as connection:
        importer = Importer(connection, redis, "copy")
        await importer.begin()
        assert [await importer.put(record) for record in records] == [0, 0, 1, 2, 3]
        await lifecycle.create(redis, "copy", SectorWorld(), CONFIG)
        with pytest.raises(SimExists, match="'copy'"):
            await importer.close()
    assert (await SimReader(redis, "copy").head()).tick == 0


def with_changes(records: list[Any], place: int, **changes: Any) -> list[Record]:
    records[place] = replace(records[place], **changes)
    return records


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (lambda records: records[:1], "at tick 0.*it has no keyframe before its first tick"),
        (lambda records: [*records, records[0]], "at tick 3.*it has a second manifest record"),
        (lambda records: with_changes(records, 0, config=b"{"), "at tick 0.*record 1 .manifest.: config: is not JSON"),
        (
            lambda records: with_changes(records, 0, map=b"no frame"),
            "at tick 0.*record 1 .manifest.: map: the frame cannot be read",
        ),
        (lambda records: with_changes(records, 1, snapshot=b"no frame"), "at tick 0.*the frame cannot be read"),
        (lambda records: [*records, records[1]], "at tick 3.*a keyframe of tick 0 follows tick 3"),
        (lambda records: with_changes(records, 4, delta=b"no frame"), "at tick 2.*the frame cannot be read"),
        (
            lambda records: with_changes(records, 4, delta=records[2].delta),
            "at tick 2.*delta.meta.tick: the record is of tick 3; it is 1",
        ),
        (lambda records: with_changes(records, 4, hash="0" * 32), "at tick 2.*its state has the hash .*, and 0000"),
    ],
)
async def test_inconsistent_records_are_not_imported(
    sim: Sim, redis: Redis, alter: Callable[[list[Any]], list[Record]], reason: str
) -> None:
    await sim.tick(times=3)
    records = await export_records(redis)
    with pytest.raises(HistoryBroken, match=reason):
        await import_sim(redis, "copy", iter(alter(records)))
    assert await lifecycle.list_ids(redis) == ["default"]
    assert await redis.keys("*copy*") == []


async def test_a_deleted_sim_has_no_keys_and_its_ticker_commits_nothing(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=3)
    await lifecycle.delete(redis, "default")
    assert await redis.keys("*") == []
    with pytest.raises(Exception, match="is expired|does not exist"):
        await sim.ticker.tick()
    assert await redis.keys("*") == []
    with pytest.raises(SimNotFound):
        await lifecycle.delete(redis, "default")


async def test_the_commands_work_and_report_what_they_did(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    sim = await Sim.create(redis, CONFIG)
    await sim.tick(Join(faction="Me"), times=7)
    path = str(tmp_path / "sim.log")

    def run(*command: str, url: str = as_user(redis_url, "operator")) -> tuple[int, str]:
        done = run_module("sector.state", *command, "--redis-url", url)
        return done.returncode, done.stdout + done.stderr

    assert run("export", "default", path)[0] == 0
    assert run("import", path, "copy") == (0, "sim copy was imported at tick 7\n")
    assert run("fork", "default", "early", "--tick", "3")[1].startswith("sim early was forked at tick 3:")
    await requests.request_sim(redis, "absent", SimRequest())
    listed = "absent: sim 'absent' does not exist\ncopy: tick 7, running, history from tick 0, no owner\n"
    assert run("list")[1].startswith(listed + "default: tick 7, running, history from tick 0, owner test\n")
    assert run("import", path, "copy") == (1, "import: sim 'copy' already exists: use another id, or remove it first\n")
    assert run("fork", "default", "x", "--tick", "99")[1].startswith("fork: tick 99 of sim 'default' is not in its")
    assert run("remove", "early") == (0, "sim early was removed\n")
    assert run("remove", "early") == (1, "remove: sim 'early' does not exist\n")
    assert run("list", url="redis://127.0.0.1:1")[1].startswith("list: Redis is unreachable")
    assert "is not a sim id" in run("fork", "default", "A b")[1]
