"""The bridge between Locust's greenlets and asyncio: a coroutine runs in the loop of a thread, and its greenlet waits for it."""

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
        """Return what the coroutine does; other greenlets go on meanwhile. Where the greenlet is killed, it is cancelled."""
        done = Event()
        # The one thing of gevent that another thread may touch.
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
    """Return the one of this process: made when it is first used, since Locust may fork before."""
    return Bridge()
