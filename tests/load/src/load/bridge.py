"""The bridge between the greenlets of Locust and asyncio: a thread runs the coroutine of a greenlet."""

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache

import gevent
import uvloop
from gevent.event import Event


class Bridge:
    """A thread with a loop. It ends with the process."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="users", daemon=True).start()

    def run[T](self, coroutine: Coroutine[object, object, T]) -> T:
        """Return the result of the coroutine, while other greenlets run. A greenlet that is killed cancels it."""
        done = Event()
        # The only object of gevent that another thread may use.
        waker = gevent.get_hub().loop.async_()
        waker.start(done.set)
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        future.add_done_callback(lambda _: waker.send())
        try:
            done.wait()
        except BaseException:
            future.cancel()
            raise
        finally:
            waker.stop()
        return future.result()


@cache
def bridge() -> Bridge:
    """Return the bridge of this process. It is created at first use, since Locust may fork before."""
    return Bridge()
