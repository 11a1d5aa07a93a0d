"""Fair queue: one piece of expensive work at a time, with an equal share for each client."""

import asyncio
from collections.abc import Callable

import pytest

from sector.process.fair_queue import FairQueue, FairQueueFull


async def work(turns: FairQueue, client: str, done: list[str]) -> None:
    async with turns.turn(client):
        await asyncio.sleep(0)
        done.append(client)


async def test_one_piece_of_work_runs_at_a_time() -> None:
    turns, running, most = FairQueue(), 0, 0

    async def piece(client: str) -> None:
        nonlocal running, most
        async with turns.turn(client):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(piece(f"client {number % 3}") for number in range(12)))
    assert most == 1
    assert turns.pending == 0


async def test_a_client_with_one_piece_of_work_is_next() -> None:
    turns = FairQueue()
    done: list[str] = []
    many = [asyncio.create_task(work(turns, "many", done)) for _ in range(10)]
    await asyncio.sleep(0)
    one = asyncio.create_task(work(turns, "one", done))
    await asyncio.gather(one, *many)
    assert done.index("one") <= 2


async def test_other_tasks_run_between_two_turns_for_the_time_of_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    turns = FairQueue(clock=lambda: now_s)
    pauses: list[float] = []
    loop = asyncio.get_running_loop()
    call_later = loop.call_later

    def noted(delay: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        pauses.append(delay)
        return call_later(0, callback)

    monkeypatch.setattr(loop, "call_later", noted)
    for took_s in (0.02, 3.0):
        async with turns.turn("me"):
            now_s += took_s
        while turns._busy:  # - until the pause is over
            await asyncio.sleep(0)
    assert pauses == [pytest.approx(0.02), 0.05]


async def test_only_a_client_with_too_much_pending_work_is_rejected() -> None:
    turns = FairQueue(max_pending=2)
    done: list[str] = []
    async with turns.turn("me"):
        tasks = [asyncio.create_task(work(turns, "me", done)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(FairQueueFull):
            turns.check("me")
        turns.check("you")
        with pytest.raises(FairQueueFull) as refused:
            await work(turns, "me", done)
        tasks.append(asyncio.create_task(work(turns, "you", done)))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert (refused.value.client, refused.value.pending) == ("me", 2)
    assert sorted(done) == ["me", "me", "you"]


@pytest.mark.parametrize("granted", [False, True])
async def test_a_cancelled_client_leaves_its_turn_to_the_next(granted: bool) -> None:
    turns = FairQueue()
    done: list[str] = []
    async with turns.turn("me"):
        first = asyncio.create_task(work(turns, "first", done))
        second = asyncio.create_task(work(turns, "second", done))
        await asyncio.sleep(0)
        if not granted:
            first.cancel()
    if granted:
        turns._next()  # - the pause is over at the moment at which the client gives up
        first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert done == ["second"]
    assert first.cancelled()
