"""Changes of health are logged once, and backoff grows up to a limit."""

import asyncio
import itertools
import logging
from functools import partial

import pytest

from sector.process import Health, backoff, wait_for_stop


def test_a_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    health = Health("sample", "redis")
    for _ in range(5):
        health.set_error("redis", "refused")
    for _ in range(5):
        health.set_ok("redis")
    assert [record.getMessage() for record in caplog.records] == ["condition failed, retrying", "condition ok"]


def test_a_process_is_ready_if_all_conditions_are_ok() -> None:
    health = Health("sample", "redis", "sim")
    changes = [
        partial(health.set_ok, "redis"),
        partial(health.set_ok, "sim"),
        partial(health.set_error, "redis", "away"),
    ]
    ready = [health.ready]
    for change in changes:
        change()
        ready.append(health.ready)
    assert ready == [False, False, True, False]


def test_the_report_has_the_error_under_its_earlier_name_too() -> None:
    health = Health("sample")
    health.update("disk", ("it is full", "ENOSPC"), blocks=False)
    conditions = health.report()["conditions"]
    assert isinstance(conditions, dict)
    disk = conditions["disk"]
    assert isinstance(disk, dict)
    assert (disk["error"], disk["fault"], disk["blocks"]) == ("it is full", "it is full", False)
    assert health.ready


def test_pauses_double_up_to_a_limit_with_jitter() -> None:
    pauses = list(itertools.islice(backoff(first_s=0.1, max_s=1.0), 50))
    for number, pause in enumerate(pauses):
        bound = min(0.1 * 2**number, 1.0)
        assert bound / 2 <= pause <= bound
    assert len(set(pauses)) == len(pauses)


async def test_a_stop_ends_a_wait() -> None:
    stop = asyncio.Event()
    assert not await wait_for_stop(stop, 0.01)
    waiting = asyncio.create_task(wait_for_stop(stop, 3600))
    await asyncio.sleep(0)
    stop.set()
    assert await asyncio.wait_for(waiting, 60)
