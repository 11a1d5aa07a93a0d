"""Work that may never end runs in a daemon thread."""

import asyncio
import subprocess
import sys
import threading

import pytest

from fixtures.processes import environment
from sector.process import start_daemon_thread
from sector.process.daemon_thread import ThreadLimitError


async def test_the_future_has_the_result_of_the_work() -> None:
    caller = threading.get_ident()
    assert await start_daemon_thread(threading.get_ident, "work") != caller


async def test_the_future_raises_the_error_of_the_work() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await start_daemon_thread(fail, "work")


async def test_a_missing_thread_is_an_error_of_the_future(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        future = start_daemon_thread(lambda: None, "work")
    with pytest.raises(ThreadLimitError):
        await future


async def test_a_cancelled_future_is_not_set() -> None:
    goes_on = threading.Event()
    future = start_daemon_thread(goes_on.wait, "work")
    future.cancel()
    goes_on.set()
    await start_daemon_thread(lambda: None, "another")
    assert future.cancelled()


def test_work_that_ends_after_the_loop_has_no_effect() -> None:
    goes_on = threading.Event()

    async def start() -> None:
        start_daemon_thread(goes_on.wait, "outlives-loop")

    asyncio.run(start())
    (thread,) = (each for each in threading.enumerate() if each.name == "outlives-loop")
    goes_on.set()
    thread.join(timeout=60)
    assert not thread.is_alive()


def test_a_process_ends_although_the_work_does_not() -> None:
    code = (
        "import asyncio, threading\nfrom sector.process import start_daemon_thread\n"
        "async def main(): start_daemon_thread(threading.Event().wait, 'work')\n"
        "asyncio.run(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
