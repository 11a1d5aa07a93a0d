"""Threads for work that may never end, such as reads from a stalled disk.

They block neither the event loop nor the exit.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable


class ThreadLimitError(Exception):
    """The system cannot start another thread for this process."""

    def __init__(self) -> None:
        super().__init__("no thread can be started: the limit of the system is reached")


def start_daemon_thread[T](work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Run `work` in a new daemon thread, and return a future of its result.

    At exit, Python would wait for the threads of asyncio, but not for this one. The future fails with ThreadLimitError
    if the system has no thread left.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: Callable[[], None]) -> None:
        if not future.done():
            result()

    def run() -> None:
        try:
            value = work()
        except Exception as error:  # noqa: BLE001  (the future raises the error)
            failure = error
            _call_in(loop, lambda: settle(lambda: future.set_exception(failure)))
        else:
            _call_in(loop, lambda: settle(lambda: future.set_result(value)))

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:
        future.set_exception(ThreadLimitError())
    return future


def _call_in(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    # The process ends if the loop was closed in the meantime.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(callback)
