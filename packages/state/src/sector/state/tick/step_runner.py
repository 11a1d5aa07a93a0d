"""Where the step of a tick is computed: a quick one on the event loop, a slow one in a thread."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from sector.models import Step

_QUICK_S = 0.02
"""A step that takes longer is computed in a thread, so that other sims continue and leases are renewed meanwhile."""

type Computation[S] = Callable[[], tuple[S, Step[S]]]
"""Returns the state before a step, and the step."""


class StepRunner:
    """Computes the steps of one sim. The duration of a step decides where the next one is computed; the first needs a thread."""

    def __init__(self) -> None:
        self.quick = False
        """Whether the last step was quick."""

    async def run[S](
        self, compute: Computation[S], renew: Callable[[], Awaitable[None]], renew_interval_s: float
    ) -> tuple[S, Step[S]]:
        """Return the result of `compute`. While a thread computes it, `renew` is called at each interval.

        If `renew` raises, the error is raised when the thread has ended.
        """
        if self.quick:
            began_s = time.monotonic()
            result = compute()
            self.quick = time.monotonic() - began_s < _QUICK_S
            return result
        computing = asyncio.create_task(asyncio.to_thread(self._measure, compute))
        try:
            while not (await asyncio.wait((computing,), timeout=renew_interval_s))[0]:
                await renew()
        finally:
            # A thread cannot be stopped; two must not run for one sim.
            await asyncio.wait((computing,))
        return computing.result()

    def _measure[S](self, compute: Computation[S]) -> tuple[S, Step[S]]:
        began_s, cpu_began_s = time.monotonic(), time.thread_time()
        result = compute()
        # Among other threads it waits for its turn: that alone does not make a step slow.
        wall_s, cpu_s = time.monotonic() - began_s, time.thread_time() - cpu_began_s
        self.quick = max(cpu_s, wall_s / 10) < _QUICK_S
        return result
