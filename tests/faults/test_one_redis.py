"""A world over one Redis, broken on schedule: it keeps every promise."""

from pathlib import Path

from chaos import schedule, trial

SECONDS = 40


async def test_a_world_over_one_redis_keeps_every_promise(tmp_path: Path) -> None:
    report = await trial.run("one", SECONDS, 1, tmp_path, kinds=schedule.KINDS["one"])
    print(report.text())
    assert report.holds, report.text()
    assert set(report.faults) == set(schedule.KINDS["one"]), "each kind came at least once"
    assert report.acknowledged > 500
    assert report.ticks > 200


def test_the_same_seed_gives_the_same_schedule_and_each_kind_comes_before_any_comes_twice() -> None:
    kinds = schedule.KINDS["one"]
    faults = list(schedule.schedule(7, 60, kinds))
    assert faults == list(schedule.schedule(7, 60, kinds))
    assert faults != list(schedule.schedule(8, 60, kinds))
    assert sorted(fault.kind for fault in faults[: len(kinds)]) == sorted(kinds)
