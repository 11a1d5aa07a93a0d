"""A world of processes keeps every promise under scheduled faults, in a short run."""

import sys
from pathlib import Path

import pytest

from chaos import schedule, trial
from chaos.__main__ import main
from fixtures.long import LONG

SECONDS = 45 if LONG else 20


@pytest.mark.parametrize("redis_is", list(schedule.KINDS))
async def test_no_promise_is_violated_under_faults(redis_is: str, tmp_path: Path) -> None:
    kinds = schedule.KINDS[redis_is]
    report = await trial.run(redis_is, SECONDS, 1, tmp_path, kinds=kinds)
    print(report.text())
    assert report.holds, report.text()
    assert set(report.faults) == set(kinds), "each kind came at least once"
    assert report.acknowledged > 6 * SECONDS


def test_schedules_are_reproducible_and_cover_all_kinds() -> None:
    kinds = schedule.KINDS["one"]
    faults = list(schedule.schedule(7, 60, kinds))
    assert faults == list(schedule.schedule(7, 60, kinds))
    assert faults != list(schedule.schedule(8, 60, kinds))
    assert sorted(fault.kind for fault in faults[: len(kinds)]) == sorted(kinds)


if __name__ == "__main__":
    sys.exit(main())
