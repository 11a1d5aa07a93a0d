"""What is noted is counted soon, or when somebody asks."""

import asyncio

import pytest

from sector.process import counting
from sector.process.counting import count_now, count_soon


async def test_it_is_counted_by_itself_and_in_order() -> None:
    counted: list[float] = []
    for each in (1.0, 2.0, 3.0):
        count_soon(counted.append, each)
    assert counted == []
    async with asyncio.timeout(5):
        while not counted:
            await asyncio.sleep(0.01)
    assert counted == [1.0, 2.0, 3.0]
    count_soon(counted.append, 4.0)
    async with asyncio.timeout(5):
        while len(counted) < 4:
            await asyncio.sleep(0.01)


async def test_who_asks_finds_all_of_it_counted_once() -> None:
    counted: list[float] = []
    count_soon(counted.append, 1.0)
    count_now()
    assert counted == [1.0]
    await asyncio.sleep(2 * counting._WITHIN_S)
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
