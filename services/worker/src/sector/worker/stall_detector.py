"""Detection of stalled sims: sims that this worker serves and that do not tick, regardless of the lease holder.

A lease alone says little: its holder may be dead, and the lease may last for an hour because the clock of Redis was set back. So the worker
reads whether the tick in the head of each sim grows. No clock of another machine is involved.
"""

import time
from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass

from sector.state.redis.client import Client
from sector.state.sims import lifecycle
from sector.state.tick.head import Head

_CHECK_INTERVAL_S = 1.0
_BATCH = 100
_TICKS = 3
_MARGIN_S = 2.0
_NOT_TICKED_HERE = (
    "this worker does not tick a sim that it may tick:"
    " compare LEASE_TTL_MS with the latency of Redis and the length of a tick"
)


@dataclass(slots=True)
class _Observed:
    """The tick that a sim is at, and since when, on the monotonic clock in seconds."""

    tick: int
    since_s: float


class StallDetector:
    """Checks up to 100 of the sims per second. `holder`: this worker, in leases. `clock`: seconds."""

    def __init__(
        self,
        redis: Client,
        holder: str,
        *,
        lease_ttl_s: float,
        tick_delay_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._holder = holder
        self._lease_ttl_s = lease_ttl_s
        self._tick_delay_s = tick_delay_s
        self._clock = clock
        self._due_s = 0.0
        self._observed: dict[str, _Observed] = {}
        self._queue: list[str] = []
        self.errors: dict[str, str] = {}
        """The error of each stalled sim."""

    def reset(self) -> None:
        """Forget all observations: Redis was unreachable, so no sim could tick."""
        self._observed.clear()

    async def check(self, holders: Mapping[str, str | None], first: Collection[str]) -> Set[str]:
        """Check some of the sims in `holders`, those in `first` among them. Returns those that tick, are finished or do not exist.

        Raises redis.exceptions.RedisError.
        """
        now_s = self._clock()
        if now_s < self._due_s:
            return frozenset()
        self._due_s = now_s + _CHECK_INTERVAL_S
        for deleted in self._observed.keys() - holders.keys():
            del self._observed[deleted]
        self.errors = {sim_id: error for sim_id, error in self.errors.items() if sim_id in holders}
        batch = self._next_batch(holders, first)
        heads = await lifecycle.load_heads(self._redis, batch)
        return {
            sim_id
            for sim_id, head in zip(batch, heads, strict=True)
            if self._is_ticking(sim_id, head, holders[sim_id], now_s)
        }

    def _next_batch(self, holders: Mapping[str, str | None], first: Collection[str]) -> list[str]:
        if not self._queue:
            self._queue = list(holders)
        batch, self._queue = self._queue[:_BATCH], self._queue[_BATCH:]
        candidates = dict.fromkeys((*list(first)[:_BATCH], *self.errors, *batch))
        return [sim_id for sim_id in candidates if sim_id in holders]

    def _is_ticking(self, sim_id: str, head: Head | None, holder: str | None, now_s: float) -> bool:
        observed = self._observed.get(sim_id)
        if head is None or head.status == "finished":
            self._observed.pop(sim_id, None)
        elif observed is None:
            self._observed[sim_id] = _Observed(head.tick, now_s)
            return False
        elif observed.tick != head.tick:
            self._observed[sim_id] = _Observed(head.tick, now_s)
        elif now_s - observed.since_s <= self._stall_timeout_s(head):
            return False
        else:
            self.errors[sim_id] = self._reason(holder)
            return False
        self.errors.pop(sim_id, None)
        return True

    def _stall_timeout_s(self, head: Head) -> float:
        """Return how long a sim may stay at one tick: until its lease expires, and for some of its ticks."""
        tick_s = max(self._tick_delay_s, (head.tick_length_ms or 0) / 1000)
        return self._lease_ttl_s + _TICKS * tick_s + _MARGIN_S

    def _reason(self, holder: str | None) -> str:
        if holder is None or holder == self._holder:
            return _NOT_TICKED_HERE
        return f"its lease is owned by worker {holder.split(':')[0]}, which does not tick it"
