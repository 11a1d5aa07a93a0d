"""A short soak test, and the parts of its report."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.long import LONG
from soak import soak_run
from soak.__main__ import main
from soak.memory import MemorySamples, Slope
from soak.plots import picture
from soak.report import P99_S, Report, outside, p99
from soak.soak_run import faults, run_day
from soak.users import Sample, UserLog

SECONDS = 40 if LONG else 20


async def test_a_short_day_loses_no_order_and_shows_every_tick(tmp_path: Path) -> None:
    report = await run_day(SECONDS, tmp_path, players=10, spectators=12, every_s=0.3 * SECONDS, think_s=0.5)
    print(report.text())
    # Latency and memory need an hour on an idle machine.
    drawn = ElementTree.fromstring(picture(report))  # noqa: S314 # our own
    assert {*P99_S, "api", "bot", "viz", "worker", "fault", "minutes"} <= {
        text.text for text in drawn.findall(".//{*}text")
    }
    assert not report.wrong
    assert not report.log.wrong
    assert not report.log.open
    assert report.log.acknowledged > SECONDS
    assert report.log.applied + report.log.rejected == report.log.acknowledged
    assert report.log.ticks > 2 * SECONDS
    assert len(report.faults) >= 2
    assert set(report.slopes) >= {"viz-alpha", "viz-beta", "bot-alpha", "bot-beta"}
    for kind in P99_S:
        assert report.took_s[kind], kind


async def test_a_finished_sim_and_a_timeout_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak_run, "_CONFIG", soak_run._CONFIG.model_copy(update={"max_ticks": 4}))
    monkeypatch.setattr(soak_run, "_LEAVES_WITHIN_S", 1.0)
    report = await run_day(6, tmp_path, players=0, spectators=4, every_s=60.0)
    assert {"sim alpha was over at tick 4", "sim beta was over at tick 4"} <= set(report.wrong)
    assert "1 of the crowd still waited for something 1 s after the end" in report.wrong
    assert not report.holds


def test_a_missing_plot_folder_is_reported_before_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--plot", "/nowhere/day.svg"])
    assert "there is no folder /nowhere" in capsys.readouterr().err


def test_no_process_ends_in_the_second_half() -> None:
    scheduled = list(faults(1, 3600, 20))
    ended = [fault for fault in scheduled if "killed" in fault.kind or "terminated" in fault.kind]
    assert ended
    assert max(fault.at_s for fault in ended) < 1800
    assert max(fault.at_s for fault in scheduled) > 3500


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10)), max_size=20),
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10))),
)
def test_samples_that_overlap_a_fault_window_are_excluded(
    windows: list[tuple[float, float]], samples: list[tuple[float, float]]
) -> None:
    spans = [(start, start + lasts) for start, lasts in windows]
    beyond = outside([Sample("seen", at_s, took_s) for at_s, took_s in samples], spans)
    expected = [took_s for at_s, took_s in samples if all(at_s + took_s < start or end < at_s for start, end in spans)]
    assert sorted(beyond["seen"]) == sorted(expected)


def test_a_slope_uses_the_longest_life_and_ignores_spikes() -> None:
    held = MemorySamples()
    held.by_process["worker-0", 1] = [(0.0, 50.0), (10.0, 60.0)]
    held.by_process["worker-0", 2] = [
        (at_s, 100 + at_s / 360 + (400 if at_s == 1800 else 0)) for at_s in range(0, 3601, 60)
    ]
    (slope,) = held.slopes(least_s=600, settled_s=300).values()
    assert slope.mb_an_hour == pytest.approx(10.0, abs=0.2)
    assert slope.over_s == 3300
    assert Slope.of([(0, 5), (1, 5), (2, 5)]).mb_an_hour == 0


def test_a_report_lists_missed_objectives() -> None:
    log = UserLog(acknowledged=2, open={("alpha", "1-0"): 0.0})
    took_s = {kind: [0.01] * 100 for kind in P99_S} | {"seen": [2.0] * 100}
    report = Report(
        5,
        60,
        [(20, 30), (7, 12), (10, 14), (60, 80)],
        {"worker killed": 1},
        log,
        120,
        took_s,
        MemorySamples(),
        {"viz": Slope(50, 200, 600)},
        [],
    )
    assert report.windowed_s == 10 + 7 + 5
    assert not report.holds
    unmet = [line.strip() for line in report.text().splitlines() if line.endswith("NOT MET")]
    assert [line.split(":")[0] for line in unmet] == [
        "acknowledged orders without an outcome",
        "seen, outside of faults",
        "memory of viz",
    ]
    assert p99([]) != p99([])
