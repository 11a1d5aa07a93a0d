"""Export of a sim to a file."""

import subprocess
from pathlib import Path

import pytest
from redis.asyncio import Redis

from fixtures.processes import run_module
from fixtures.sim import Sim
from sector.models import Join, Note, SimConfig
from sector.models.archive import Founding, Keyframe, TickEntry, read_archive
from sector.models.frame import digest
from sector.state.errors import HistoryGone, SimNotFound
from sector.state.keys import SimKeys
from sector.state.sims.exporter import Exporter


async def test_an_export_has_all_ticks_with_orders_and_keyframes(redis: Redis) -> None:
    sim = await Sim.create(redis)
    await sim.tick(Join(faction="Me"))
    notes = await sim.order(*(Note(faction="Me", text=str(n)) for n in range(3)))
    await sim.tick()
    last = await sim.tick(times=4)
    exporter = await Exporter.open(redis, "default")
    await sim.tick(times=2)  # the sim continues
    founding, first, *rest = [record async for record in exporter.records()]
    assert isinstance(founding, Founding)
    assert SimConfig.model_validate_json(founding.config).systems == 24
    assert isinstance(first, Keyframe)
    assert (first.tick, first.cursor) == (0, "0-0")
    assert [(type(record), record.tick) for record in rest if not isinstance(record, Founding)] == [
        *((TickEntry, tick) for tick in range(1, 6)),
        (Keyframe, 5),
        (TickEntry, 6),
    ]
    ticks = [record for record in rest if isinstance(record, TickEntry)]
    assert [order.id for order in ticks[1].orders] == notes
    assert ticks[-1].hash == last.head.hash
    keyframe = rest[5]
    assert isinstance(keyframe, Keyframe)
    assert digest(keyframe.snapshot) == ticks[4].hash


async def test_an_export_begins_at_the_oldest_stored_keyframe(redis: Redis) -> None:
    sim = await Sim.create(redis)
    for tick in range(33):
        await sim.tick(*([Join(faction="Me")] if tick == 0 else [Note(faction="Me", text=str(tick))]))
    exporter = await Exporter.open(redis, "default")
    _, first, *rest = [record async for record in exporter.records()]
    assert isinstance(first, Keyframe)
    assert first.tick == exporter.first_tick == 20
    assert [len(record.orders) for record in rest if isinstance(record, TickEntry)] == [1] * 13


async def test_a_gap_in_the_history_is_an_error(redis: Redis) -> None:
    sim = await Sim.create(redis)
    await sim.tick(times=4)
    await redis.xdel(SimKeys("default").events, "3-0")
    exporter = await Exporter.open(redis, "default")
    with pytest.raises(HistoryGone, match="tick 3"):
        [record async for record in exporter.records()]
    with pytest.raises(SimNotFound):
        await Exporter.open(redis, "nowhere")


async def test_a_history_that_is_trimmed_during_an_export_is_an_error(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=4)
    exporter = await Exporter.open(redis, "default")
    await redis.delete(SimKeys("default").events)
    with pytest.raises(HistoryGone, match="tick 1 of"):
        [record async for record in exporter.records()]
    await redis.delete(SimKeys("default").keyframes)
    with pytest.raises(HistoryGone, match="tick 0 of"):
        [record async for record in exporter.records()]


async def test_the_command_writes_a_complete_file_or_none(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    sim = await Sim.create(redis)
    await sim.tick(Join(faction="Me"), times=7)
    path = tmp_path / "sim.log"

    def export(name: str) -> subprocess.CompletedProcess[str]:
        return run_module("sector.state", "export", name, str(path), "--redis-url", redis_url)

    done = export("default")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ticks 0 to 7 of sim default" in done.stdout
    with path.open("rb") as stream:
        assert len([record for record in read_archive(stream) if isinstance(record, TickEntry)]) == 7
    path.unlink()
    done = export("nowhere")
    assert (done.returncode, done.stderr) == (1, "export: sim 'nowhere' does not exist\n")
    assert list(tmp_path.iterdir()) == []
