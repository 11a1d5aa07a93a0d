"""Shapes, the search for the breakpoint, and the verdict."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from locust.stats import RequestStats

from load.breakpoint_search import Search, Step
from load.objectives import format_objectives, objectives
from load.page import tick_of
from load.shapes import SHAPES
from load.user import REQUEST, STREAM, WORLD
from sector.models.frame import Frame, encode
from sector.viz.tick_codec import deflate, encode_tick


@settings(deadline=None)
@given(st.sampled_from(sorted(SHAPES)), st.floats(0, 100), st.integers(1, 10_000))
def test_shapes_stay_between_one_and_all_users(name: str, at_s: float, most: int) -> None:
    assert 1 <= SHAPES[name](at_s, 100.0, most) <= most


def test_each_shape_follows_its_curve() -> None:
    def users(name: str) -> list[int]:
        return [SHAPES[name](at_s, 100.0, 50) for at_s in (0, 5, 10, 45, 59, 61, 100)]

    assert users("steady") == [50] * 7
    assert users("ramp") == [1, 3, 5, 23, 30, 31, 50]
    assert users("spike") == [5, 5, 5, 50, 50, 5, 5]
    assert users("soak") == [1, 25, 50, 50, 50, 50, 50]


@pytest.mark.parametrize("limit", [1, 3, 8, 9, 100, 777])
def test_the_search_is_accurate_to_a_tenth(limit: int) -> None:
    search = Search(max_ms=100, most=10_000)
    for _ in range(50):
        users = search.next()
        if users is None:
            break
        search.steps.append(Step(users, users * 2.0, 20.0 if users <= limit else 300.0, 0))
    assert search.next() is None
    assert search.best is not None
    assert limit - max(1, limit // 10) <= search.best.users <= limit


def test_failed_and_empty_steps_do_not_hold() -> None:
    assert not Step(5, 10.0, 1.0, failed=1).holds(100)
    assert not Step(5, 0.0, 0.0, failed=0).holds(100)
    search = Search(max_ms=100, most=20)
    tried = []
    while (users := search.next()) is not None:
        tried.append(users)
        search.steps.append(Step(users, 1.0 * users, 1.0, 0))
    assert tried == [8, 16, 20]
    broken = Search(max_ms=100, most=20)
    while (users := broken.next()) is not None:
        broken.steps.append(Step(users, 1.0, 1000.0, 0))
    assert broken.best is None


def stats(**failed: str) -> RequestStats:
    stats = RequestStats()
    for kind, took_ms in ((REQUEST, 10), (WORLD, 300), (STREAM, 20)):
        for _ in range(100):
            stats.log_request(kind, "it", took_ms, 0)
        if kind in failed:
            stats.log_error(kind, "it", failed[kind])
    return stats


def judged(stats: RequestStats, **bounds: float) -> list[bool]:
    limits = {"p99_ms": 250.0, "seen_ms": 100.0, "failures_percent": 0.0} | bounds
    return [each.met for each in objectives(stats, outcome_ticks=3, crashed=0, **limits)]


def test_objectives_are_judged_per_kind() -> None:
    assert judged(stats()) == [True] * 5
    assert judged(stats(), p99_ms=9) == [True, False, True, True, True]
    assert judged(stats(), seen_ms=9) == [True, True, True, True, False]
    assert judged(stats(WORLD="no outcome")) == [True, True, False, True, True]
    assert judged(stats(STREAM="missed")) == [True, True, True, False, True]
    assert judged(stats(API="500")) == [False, True, True, True, True]
    assert judged(stats(API="500"), failures_percent=2) == [True] * 5


def test_a_load_without_requests_meets_no_objective() -> None:
    assert judged(RequestStats())[0] is False
    objectives_of_nothing = list(
        objectives(RequestStats(), p99_ms=1, seen_ms=1, failures_percent=0, outcome_ticks=3, crashed=2)
    )
    assert "NOT MET" in format_objectives(objectives_of_nothing)
    assert "2  NOT MET" in format_objectives(objectives_of_nothing).splitlines()[-1]


def test_the_tick_of_a_viz_message_is_decoded() -> None:
    frame = encode(Frame("delta", {"tick": 12}, {}))
    assert tick_of(deflate(encode_tick(frame, b"", 1234, 3))) == (12, 1234.0)
    with pytest.raises(zlib.error):
        tick_of(b"no")
