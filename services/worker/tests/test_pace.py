"""The pace of the ticks, on a clock that the test moves."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from sector.worker.pace import Pace


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_the_delay_is_a_period_not_a_pause() -> None:
    clock = Clock()
    pace = Pace(0.5, clock)
    starts = []
    for _ in range(5):
        starts.append(clock.now_s)
        clock.now_s += 0.2  # the tick itself
        clock.now_s += pace.until_next()
    assert [round(b - a, 9) for a, b in itertools.pairwise(starts)] == [0.5] * 4
    assert pace.late == 0


def test_a_late_tick_is_counted_and_not_made_up_for() -> None:
    clock = Clock()
    pace = Pace(0.5, clock)
    clock.now_s += 1.7
    assert pace.until_next() == 0
    assert pace.late == 1
    assert pace.until_next() == 0.5
    assert pace.late == 1


@settings(deadline=None)
@given(st.lists(st.floats(0, 5), max_size=50), st.floats(0.01, 2))
def test_there_is_never_less_than_a_period_between_two_deadlines(work_s: list[float], period_s: float) -> None:
    clock = Clock()
    pace = Pace(period_s, clock)
    deadlines = [clock.now_s]
    for each in work_s:
        clock.now_s += each
        clock.now_s += pace.until_next()
        deadlines.append(clock.now_s)
    assert all(later - earlier >= period_s - 1e-6 for earlier, later in itertools.pairwise(deadlines))


def test_without_a_delay_nothing_is_late() -> None:
    clock = Clock()
    pace = Pace(0.0, clock)
    clock.now_s += 1
    assert (pace.until_next(), pace.late) == (0, 0)
