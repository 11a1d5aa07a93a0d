"""Deferred metrics are updated in batches: after 0.1 s, when the batch is full, or before an export."""

import asyncio
from collections.abc import Callable

import pytest

from sector.process import deferred_metrics
from sector.process.deferred_metrics import defer_metric, flush_metrics

type Later = list[tuple[float, Callable[[], object]]]


@pytest.fixture
async def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """The calls that the event loop must make, with their delays in seconds. The test makes them."""
    calls: Later = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda delay_s, call: calls.append((delay_s, call)))
    return calls


async def test_updates_are_applied_in_order_after_a_tenth_of_a_second(later: Later) -> None:
    counted: list[float] = []
    for each in (1.0, 2.0, 3.0):
        defer_metric(counted.append, each)
    assert counted == []
    ((delay_s, call),) = later
    assert delay_s == 0.1
    call()
    assert counted == [1.0, 2.0, 3.0]
    defer_metric(counted.append, 4.0)
    assert len(later) == 2
    later[1][1]()
    assert counted == [1.0, 2.0, 3.0, 4.0]


async def test_the_event_loop_applies_updates() -> None:
    counted = asyncio.Event()
    defer_metric(lambda _: counted.set(), 1.0)
    await asyncio.wait_for(counted.wait(), 60)


async def test_a_flush_applies_each_update_once(later: Later) -> None:
    counted: list[float] = []
    defer_metric(counted.append, 1.0)
    flush_metrics()
    assert counted == [1.0]
    ((_, call),) = later
    call()
    assert counted == [1.0]


async def test_a_full_batch_is_applied_at_once() -> None:
    counted: list[int] = []
    for number in range(deferred_metrics._MAX_PENDING + 1):
        defer_metric(counted.append, number)
    assert len(counted) == deferred_metrics._MAX_PENDING
    flush_metrics()
    assert counted == list(range(deferred_metrics._MAX_PENDING + 1))


async def test_an_update_that_raises_is_not_retried() -> None:
    counted: list[float] = []
    defer_metric(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        flush_metrics()
    defer_metric(counted.append, 1.0)
    flush_metrics()
    assert counted == [1.0]
