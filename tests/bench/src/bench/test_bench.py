"""The bench itself: it measures, compares and judges as it says."""

import shutil
from xml.etree import ElementTree

import pytest

from bench import api, viz, worker, world
from bench.__main__ import main
from bench.boards import board, columns, moves
from bench.figure import Figure, table
from bench.load import Load, LoadError
from bench.plotting import log_plot
from bench.timing import interleaved, ratios, us
from fixtures.requires import require_program
from sector.world.codec import events_frame
from sector.world.tick import advance


def test_a_goal_is_met_or_not_and_the_table_says_so() -> None:
    good, bad = Figure("a", "1 ms", "2 ms", 0.5, 0.4, 0.6, goal=1), Figure("b", "3 ms", "1 ms", 3.0, 2.9, 3.1, goal=2)
    plain = Figure("c", "1", "1", 1.0, 1.0, 1.0)
    assert (good.met, bad.met, plain.met) == (True, False, None)
    lines = table([good, bad, plain]).splitlines()
    assert lines[1].endswith("<= 1  met")
    assert lines[2].endswith("NOT MET")


def test_what_is_compared_runs_in_turn() -> None:
    order: list[str] = []
    samples = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3)
    assert [len(each) for each in samples.values()] == [3, 3]
    turns = [name for at, name in enumerate(order) if at == 0 or order[at - 1] != name]
    assert turns == ["a", "b"] * 4  # once to find out how often, then the rounds
    assert ratios([2.0, 4.0, 6.0], [1.0, 2.0, 2.0]) == (2.0, 2.0, 3.0)


def test_the_orders_that_are_measured_are_lawful() -> None:
    state = board(1_000, 5_000)
    assert sum(column.nbytes for column in columns(state)) == 5_000 * 34 + 1_000 * 10
    orders = moves(state, 1_000)
    events = events_frame(advance(state, orders), orders)
    assert events.tables["fleet_departed"].rows == 1_000
    assert "order_rejected" not in events.tables


def test_a_plot_is_a_picture_with_its_lines_named() -> None:
    text = log_plot("t", "x", "y", {"one": [(1, 1), (100, 10)], "two": [(1, 2), (100, 5)]})
    picture = ElementTree.fromstring(text)  # noqa: S314 # our own
    assert {"one", "two", "t"} <= {text.text for text in picture.findall("{*}text")}


def test_a_wrong_argument_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "there is no suite nothing; there are world, worker, api, viz, images" in capsys.readouterr().err
    assert list(world._SIZES) == sorted(world._SIZES)


def test_an_api_is_measured_answering_all_that_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    require_program("wrk", hint="apt-get install wrk")
    for name, value in (("_SYSTEMS", 20), ("_ROUND_S", 1)):
        monkeypatch.setattr(api, name, value)
    found = list(api.figures(rounds=1))
    assert [each.what for each in found] == [
        "api: an order",
        "api: an order",
        "api: orders, 100 a request",
        "api: the snapshot of 20 systems",
        "api: the snapshot of 20 systems, 304",
        "api: an order at half load, 99th percentile",
        found[6].what,
        "api: memory after that abuse",
    ]
    assert "under abuse" in found[6].what
    assert min(each.ratio for each in found) > 0


def test_a_load_that_is_not_answered_as_it_must_be_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    require_program("wrk", hint="apt-get install wrk")
    with pytest.raises(LoadError, match="were not answered as they must be|wrk failed"):
        Load("/").put_on("http://127.0.0.1:1", {0}, 1)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LoadError, match="apt-get install wrk"):
        Load("/").put_on("http://127.0.0.1:1", {0}, 1)


async def test_a_worker_is_measured_ticking_all_its_sims(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("_FEW", 3), ("_MANY", 6), ("_ROUND_S", 0.2)):
        monkeypatch.setattr(worker, name, value)
    few, many, puppets = await worker._small(redis_url, rounds=1)
    assert (few.what, many.what) == ("worker: a tick, 3 sims", "worker: a tick, 6 sims")
    assert min(few.ratio, many.ratio, puppets.ratio) > 0
    commit = await worker._large(redis_url, rounds=1, systems=100, fleets=1_000)
    assert commit.ratio > 0
    assert us([0.0000015, 0.000002, 0.1]) == "2 µs"


def test_a_viz_is_measured_telling_every_tick_to_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SPECTATORS", 20), ("_TICKS", 4), ("_PERIOD_S", 0.2), ("_PLAYED", 5)):
        monkeypatch.setattr(viz, name, value)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    late, cost, size = viz.figures(rounds=1)
    assert "20 spectators" in late.what
    assert min(late.ratio, cost.ratio) > 0
    assert 0 < size.ratio < 0.1


def test_the_frames_of_the_page_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    chromium = require_program("chromium", "chromium-browser", "google-chrome", hint="apt-get install chromium")
    for name, value in (("_PAGE_SYSTEMS", 100), ("_PAGE_FLEETS", 5)):
        monkeypatch.setattr(viz, name, value)
    found = viz._page(chromium, rounds=1)
    assert "100 systems" in found.what
    assert 0.9 < found.ratio < 10
