"""The schedule of the ticks, on a clock that the test advances."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from sector.worker.tick_schedule import TickSchedule


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_ticks_start_at_a_fixed_interval() -> None:
    clock = Clock()
    schedule = TickSchedule(0.5, clock)
    starts = []
    for _ in range(5):
        starts.append(clock.now_s)
        clock.now_s += 0.2  # the tick itself
        clock.now_s += schedule.advance()
    assert [round(b - a, 9) for a, b in itertools.pairwise(starts)] == [0.5] * 4
    assert schedule.late == 0


def test_a_late_tick_is_counted_and_no_burst_follows() -> None:
    clock = Clock()
    schedule = TickSchedule(0.5, clock)
    clock.now_s += 1.7
    assert schedule.advance() == 0
    assert schedule.late == 1
    assert schedule.advance() == 0.5
    assert schedule.late == 1


@settings(deadline=None)
@given(st.lists(st.floats(0, 5), max_size=50), st.floats(0.01, 2))
def test_deadlines_are_at_least_an_interval_apart(work_s: list[float], period_s: float) -> None:
    clock = Clock()
    schedule = TickSchedule(period_s, clock)
    deadlines = [clock.now_s]
    for each in work_s:
        clock.now_s += each
        clock.now_s += schedule.advance()
        deadlines.append(clock.now_s)
    assert all(later - earlier >= period_s - 1e-6 for earlier, later in itertools.pairwise(deadlines))


def test_without_an_interval_no_tick_is_late() -> None:
    clock = Clock()
    schedule = TickSchedule(0.0, clock)
    clock.now_s += 1
    assert (schedule.advance(), schedule.late) == (0, 0)
