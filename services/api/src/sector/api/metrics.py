"""What an API counts besides its requests: orders, and what waits of them; event streams."""

import asyncio
import time

from prometheus_client import Counter, Gauge
from redis.exceptions import RedisError

from sector.process import wait_for_stop
from sector.state.errors import StateError
from sector.state.log.order_log import pending
from sector.state.redis.client import Client

_LOOK_S = 1.0
_UNKNOWN = float("nan")

ACCEPTED = Counter("sector_orders_accepted", "Orders that went into a log.")
REFUSED = Counter("sector_orders_refused", "Orders that were not taken, by what was wrong.", ["reason"])
STREAMS = Gauge("sector_api_streams", "Event streams that are open.", multiprocess_mode="livesum")
DROPPED = Counter("sector_api_streams_dropped", "Event streams that were ended since they were read too slowly.")
SIMS = Gauge("sector_api_sims", "Sims that are followed.", multiprocess_mode="livemax")
TICK = Gauge("sector_api_tick", "Tick that its own sim is shown at.", multiprocess_mode="livemin")
_WAITING = Gauge(
    "sector_orders_waiting", "Orders in the log of its own sim that no tick took yet.", multiprocess_mode="livemax"
)
_OLDEST = Gauge(
    "sector_oldest_order_seconds",
    "Age of the oldest of them, by the clocks of Redis and of this process; 0 where none waits.",
    multiprocess_mode="livemax",
)


async def watch_waiting(stop: asyncio.Event, redis: Client, sim_id: str) -> None:
    """See once a second what waits for the worker of a sim. Where that is not known, it is told as NaN."""
    while not stop.is_set():
        try:
            found = await pending(redis, sim_id)
        except (RedisError, StateError):
            # What is wrong, the conditions tell.
            _WAITING.set(_UNKNOWN)
            _OLDEST.set(_UNKNOWN)
        else:
            _WAITING.set(found.count)
            came_ms = int(found.oldest.partition("-")[0] or 0)
            _OLDEST.set(max(time.time() - came_ms / 1000, 0.0) if found.oldest else 0)
        await wait_for_stop(stop, _LOOK_S)
