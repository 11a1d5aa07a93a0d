"""Waiting for a time, or for work, or for the stop: whichever comes first."""

import asyncio
from collections.abc import Coroutine


async def wait_for_stop(stop: asyncio.Event, seconds: float) -> bool:
    """Wait until `stop` is set, `seconds` at most; says whether it is set."""
    if seconds <= 0:
        await asyncio.sleep(0)
        return stop.is_set()
    try:
        async with asyncio.timeout(seconds):
            return await stop.wait()
    except TimeoutError:
        return False


async def until_stop(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do `work` until it ends, or until `stop` is set, which cancels it. Raises what it raises."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.wait((working, stopping))
    if not working.cancelled():
        working.result()
