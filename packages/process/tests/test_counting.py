"""What is noted is counted soon, or when somebody asks."""

import asyncio
from collections.abc import Callable

import pytest

from sector.process import counting
from sector.process.counting import count_now, count_soon

type Later = list[tuple[float, Callable[[], object]]]


@pytest.fixture
async def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """What the event loop is asked to call later, after how many seconds: the test calls it."""
    calls: Later = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda delay_s, call: calls.append((delay_s, call)))
    return calls


async def test_it_is_counted_by_itself_and_in_order(later: Later) -> None:
    counted: list[float] = []
    for each in (1.0, 2.0, 3.0):
        count_soon(counted.append, each)
    assert counted == []
    ((delay_s, call),) = later
    assert delay_s == 0.1
    call()
    assert counted == [1.0, 2.0, 3.0]
    count_soon(counted.append, 4.0)
    assert len(later) == 2
    later[1][1]()
    assert counted == [1.0, 2.0, 3.0, 4.0]


async def test_the_event_loop_calls_it() -> None:
    counted = asyncio.Event()
    count_soon(lambda _: counted.set(), 1.0)
    await asyncio.wait_for(counted.wait(), 60)


async def test_who_asks_finds_all_of_it_counted_once(later: Later) -> None:
    counted: list[float] = []
    count_soon(counted.append, 1.0)
    count_now()
    assert counted == [1.0]
    ((_, call),) = later
    call()
    assert counted == [1.0]


async def test_however_much_comes_at_once_little_is_kept() -> None:
    counted: list[int] = []
    for number in range(counting._MOST + 1):
        count_soon(counted.append, number)
    assert len(counted) == counting._MOST
    count_now()
    assert counted == list(range(counting._MOST + 1))


async def test_what_cannot_be_counted_is_said_once_and_holds_nothing_up() -> None:
    counted: list[float] = []
    count_soon(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        count_now()
    count_soon(counted.append, 1.0)
    count_now()
    assert counted == [1.0]
