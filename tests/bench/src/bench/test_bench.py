"""The bench itself: it measures, compares and judges as documented."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import api, build, first, growth, model, observed, viz, worker, world
from bench.__main__ import SUITES, main
from bench.boards import board, columns, moves
from bench.compare import changes, comparison_table
from bench.figure import Figure, MeasurementError, table
from bench.growth import Line, Point
from bench.load import Load, LoadError
from bench.plotting import log_plot
from bench.timing import interleaved, ratios, us
from fixtures.requires import require_program
from sector.world.codec import events_frame
from sector.world.tick import advance


def test_the_table_shows_whether_each_goal_is_met() -> None:
    good, bad = Figure("a", "1 ms", "2 ms", 0.5, 0.4, 0.6, goal=1), Figure("b", "3 ms", "1 ms", 3.0, 2.9, 3.1, goal=2)
    plain = Figure("c", "1", "1", 1.0, 1.0, 1.0)
    assert (good.met, bad.met, plain.met) == (True, False, None)
    lines = table([good, bad, plain]).splitlines()
    assert lines[1].endswith("<= 1  met")
    assert lines[2].endswith("NOT MET")


def test_a_comparison_separates_regressions_from_noise(tmp_path: Path) -> None:
    def figure(what: str, ratio: float, spread: float) -> Figure:
        return Figure(what, "1 ms", "2 ms, a copy", ratio, ratio - spread, ratio + spread)

    then = [
        figure("api: a (1 ms)", 1.0, 0.02),
        figure("api: b", 1.0, 0.2),
        figure("api: c", 2.0, 0.1),
        figure("api: gone", 1.0, 0.1),
        figure("viz: of another suite", 1.0, 0.1),
    ]
    now = [
        figure("api: a (2 ms)", 1.2, 0.02),
        figure("api: b", 1.2, 0.2),
        figure("api: c", 1.0, 0.1),
        figure("api: d", 1.0, 0.1),
    ]
    differences = changes(then, now)
    assert [(each.what, each.verdict) for each in differences] == [
        ("api: a", "SLOWER"),
        ("api: b", ""),
        ("api: c", "faster"),
        ("api: d", "new"),
        ("api: gone", "not measured"),
    ]
    assert "+20 %" in comparison_table(differences).splitlines()[1]


def test_figures_are_saved_and_compared_and_other_files_are_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = Figure("suite: it", "1 ms", "1 ms, that", 1.0, 0.9, 1.1, 2)
    slow = Figure("suite: it", "1 ms", "1 ms, that", 1.5, 1.4, 1.6, 2)
    old_results = tmp_path / "old.json"
    monkeypatch.setitem(SUITES, "suite", lambda _: iter([quick]))
    assert main(["suite", "--json", str(old_results)]) == 0
    assert main(["suite", "--compare", str(old_results), "--goals", str(tmp_path / "goals.svg")]) == 0
    drawn = ElementTree.fromstring((tmp_path / "goals.svg").read_text())  # noqa: S314 # our own
    assert "suite: it, to that" in {text.text for text in drawn.findall(".//{*}text")}
    monkeypatch.setitem(SUITES, "suite", lambda _: iter([slow]))
    assert main(["suite", "--compare", str(old_results)]) == 1, "its goal is met, but it was faster"
    assert "SLOWER" in capsys.readouterr().out
    (tmp_path / "none.json").write_text("{}")
    for path in (tmp_path / "none.json", tmp_path / "nowhere.json"):
        with pytest.raises(SystemExit):
            main(["suite", "--compare", str(path)])
        assert str(path) in capsys.readouterr().err


def test_a_failing_suite_sets_the_exit_code_and_loses_no_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(_: int) -> Iterator[Figure]:
        yield Figure("first: before", "1 ms", "1 ms, that", 1, 1, 1)
        raise MeasurementError("wrk is not there")

    monkeypatch.setitem(SUITES, "first", breaks)
    monkeypatch.setitem(SUITES, "second", lambda _: iter([Figure("second: it", "1 ms", "1 ms, that", 1, 1, 1)]))
    assert main(["first", "second"]) == 1
    captured = capsys.readouterr()
    assert "first: before" in captured.out
    assert "second: it" in captured.out
    assert "not measured to the end: first" in captured.out
    assert "first: not measured any further: wrk is not there" in captured.err


def test_compared_functions_run_in_turn() -> None:
    order: list[str] = []
    samples = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3)
    assert [len(each) for each in samples.values()] == [3, 3]
    turns = [name for at, name in enumerate(order) if at == 0 or order[at - 1] != name]
    assert turns == ["a", "b"] * 4  # One call to calibrate, then the rounds.
    assert ratios([2.0, 4.0, 6.0], [1.0, 2.0, 2.0]) == (2.0, 2.0, 3.0)


def test_the_measured_orders_are_valid() -> None:
    state = board(1_000, 5_000)
    assert sum(column.nbytes for column in columns(state)) == 5_000 * 34 + 1_000 * 10
    orders = moves(state, 1_000)
    events = events_frame(advance(state, orders), orders)
    assert events.tables["fleet_departed"].rows == 1_000
    assert "order_rejected" not in events.tables


def test_a_plot_has_a_legend() -> None:
    text = log_plot("t", "x", "y", {"one": [(1, 1), (100, 10)], "two": [(1, 2), (100, 5)]})
    picture = ElementTree.fromstring(text)  # noqa: S314 # our own
    assert {"one", "two", "t"} <= {text.text for text in picture.findall(".//{*}text")}


def test_an_invalid_argument_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "unknown suite 'nothing'; the suites are world, worker, api, viz, observed" in capsys.readouterr().err
    assert list(world._SIZES) == sorted(world._SIZES)


def test_the_api_suite_measures_successful_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    require_program("wrk", hint="apt-get install wrk")
    for name, value in (("_SYSTEMS", 20), ("_ROUND_S", 1)):
        monkeypatch.setattr(api, name, value)
    results = list(api.figures(rounds=1))
    assert [each.what for each in results] == [
        "api: an order",
        "api: an order",
        "api: orders, 100 a request",
        "api: the snapshot of 20 systems",
        "api: the snapshot of 20 systems, 304",
        "api: an order at half load, 99th percentile",
        results[6].what,
        "api: memory after that abuse",
    ]
    assert "under abuse" in results[6].what
    assert min(each.ratio for each in results) > 0


def test_a_load_with_unexpected_responses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    require_program("wrk", hint="apt-get install wrk")
    with pytest.raises(LoadError, match="were not answered as they must be|wrk failed"):
        Load("/").put_on("http://127.0.0.1:1", {0}, 1)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LoadError, match="apt-get install wrk"):
        Load("/").put_on("http://127.0.0.1:1", {0}, 1)


async def test_the_worker_suite_measures_ticks_of_all_sims(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("_FEW", 3), ("_MANY", 6), ("_ROUND_S", 0.2)):
        monkeypatch.setattr(worker, name, value)
    few, many, puppets = await worker._small(redis_url, rounds=1)
    assert (few.what, many.what) == ("worker: a tick, 3 sims", "worker: a tick, 6 sims")
    assert min(few.ratio, many.ratio, puppets.ratio) > 0
    commit = await worker._large(redis_url, rounds=1, systems=100, fleets=1_000)
    assert commit.ratio > 0
    assert us([0.0000015, 0.000002, 0.1]) == "2 µs"


def test_the_viz_suite_measures_broadcasts_to_all_spectators(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SPECTATORS", 20), ("_TICKS", 4), ("_PERIOD_S", 0.2), ("_PLAYED", 5)):
        monkeypatch.setattr(viz, name, value)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    late, cost, size = viz.figures(rounds=1)
    assert "20 spectators" in late.what
    assert min(late.ratio, cost.ratio) > 0
    assert 0 < size.ratio < 0.1


def test_the_cost_of_observability_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    require_program("wrk", hint="apt-get install wrk")
    for name, value in (("_SIMS", 3), ("_FOURS", 1)):
        monkeypatch.setattr(observed, name, value)
    an_order, a_tick = observed.figures(rounds=1)
    assert "3 sims" in a_tick.what
    assert an_order.ratio > 0
    assert a_tick.ratio > 0


def test_growth_is_measured_at_each_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    require_program("wrk", hint="apt-get install wrk")
    for name, value in (("SIMS", (1, 2)), ("LOOKED_AT", (1, 2)), ("PLAYERS", (1, 2)), ("SPECTATORS", (1, 2))):
        monkeypatch.setattr(growth, name, value)
    monkeypatch.setattr(growth, "_MEASURED_S", 1.0)
    lines_file = tmp_path / "lines.json"
    assert model.main(["--rounds", "1", "--lines", str(lines_file), "--plot", str(tmp_path / "plot.svg")]) == 0
    measured = {each["name"]: each["points"] for each in json.loads(lines_file.read_text())}
    assert list(measured) == ["a worker", "a worker that stands by", "an API", "a viz"]
    for points in measured.values():
        assert all(point["own_s"] > 0 for point in points)
        assert all(point["memory_mb"] > 10 for point in points)
    assert [point["size"] for point in measured["a viz"]] == [1, 2]
    assert "a viz, spectators" in (tmp_path / "plot.svg").read_text()
    assert model.main(["--lines", str(lines_file)]) == 0, "it is read, and not measured again"


def test_a_prediction_is_linear() -> None:
    def line(name: str, size: int, own_s: float, redis_s: float) -> Line:
        return Line(name, "any", [Point(1, own_s / size, redis_s / size, 50), Point(size, own_s, redis_s, 100)])

    measurements = {
        each.name: each
        for each in (
            line("a worker", 100, 0.3, 0.06),
            line("a worker that stands by", 1_000, 0.01, 0.002),
            line("an API", 5_000, 0.6, 0.2),
            line("a viz", 1_000, 0.12, 0.01),
        )
    }
    workers, looks, apis, vizs = model.predict(measurements, model.World(10_000, 100_000, 50_000))
    assert (workers.processes, apis.processes, vizs.processes) == (50, 10, 20)
    assert workers.redis == pytest.approx(6.0)
    # Ten times as many sims would take a tenth of its time. The limit is a twentieth.
    assert looks.redis == pytest.approx(50 * 0.002 * 5)
    assert apis.redis == pytest.approx(2.0)
    assert model.masters([workers, looks, apis, vizs]) == 11
    assert "11 masters of Redis; 46 machines of 2 processors" in model.format_prediction(
        measurements, model.World(10_000, 100_000, 50_000)
    )


def test_the_build_suite_needs_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(build.figures(rounds=1)) == []
    (tmp_path / "pants").write_text("#!/bin/sh\necho it broke >&2; exit 3\n")
    (tmp_path / "pants").chmod(0o755)
    with pytest.raises(build.BuildError, match="./pants test failed: it broke"):
        build._pants(tmp_path, "test")


def test_the_frame_rate_of_the_page_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    chromium = require_program("chromium", "chromium-browser", "google-chrome", hint="apt-get install chromium")
    for name, value in (("_PAGE_SYSTEMS", 100), ("_PAGE_FLEETS", 5)):
        monkeypatch.setattr(viz, name, value)
    frame, first_frame = viz._page(chromium, rounds=1)
    assert "100 systems" in frame.what
    assert 0.9 < frame.ratio < 10
    assert first_frame.ratio > 1


def test_a_start_is_measured_until_ready_and_then_interrupted(tmp_path: Path) -> None:
    script = tmp_path / "world.py"
    script.write_text(
        "import pathlib, time\n"
        f"try:\n    print('  {first.READY}', flush=True)\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    pathlib.Path('interrupted').touch()\n"
    )
    assert 0 < first.time_until_ready([sys.executable, str(script)], tmp_path, dict(os.environ)) < 60
    assert (tmp_path / "interrupted").exists()


def test_a_failed_start_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(first.StartError, match="did not become ready: ports taken"):
        first.time_until_ready([sys.executable, "-c", "print('ports taken')"], tmp_path, dict(os.environ))


def test_a_new_user_has_an_empty_home_and_no_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "UV_CACHE_DIR", "PIP_CACHE_DIR", "SECTOR_PANTS_CACHE", "PANTS_LOCAL_STORE_DIR"):
        monkeypatch.setenv(name, "/ours")
    environment = first.new_user(tmp_path)
    assert environment["HOME"] == str(tmp_path)
    assert environment["PATH"] == os.environ["PATH"]
    assert "/ours" not in environment.values()


def test_pip_is_measured_on_a_lock_file(tmp_path: Path) -> None:
    lock = tmp_path / "empty.lock"
    lock.write_text("")
    assert first.time_pip(sys.executable, tmp_path / "venv", lock, dict(os.environ)) > 0
    lock.write_text("not-there==1 --hash=sha256:00\n")
    with pytest.raises(first.StartError, match="pip install"):
        first.time_pip(sys.executable, tmp_path / "other", lock, {**os.environ, "PIP_NO_INDEX": "1"})
