"""A world over a Sentinel trio, and over a cluster of six, under load, broken on schedule: it keeps every promise."""

from pathlib import Path

import pytest

from chaos import schedule, trial

SECONDS = 40


@pytest.mark.parametrize("redis_is", ["sentinel", "cluster"])
async def test_it_keeps_every_promise(redis_is: str, tmp_path: Path) -> None:
    report = await trial.run(redis_is, SECONDS, 1, tmp_path, kinds=schedule.KINDS[redis_is])
    print(report.text())
    assert report.holds, report.text()
    assert set(report.faults) == set(schedule.KINDS[redis_is]), "each kind came at least once"
    assert report.acknowledged > 300
