"""Metrics of the API: orders, pending orders, event streams and sims."""

import asyncio
import time

from prometheus_client import Counter, Gauge
from redis.exceptions import RedisError

from sector.process import wait_for_stop
from sector.process.metric_aliases import deprecate_metrics
from sector.state.errors import StateError
from sector.state.log.order_log import load_pending
from sector.state.redis.client import Client

_INTERVAL_S = 1.0
_UNKNOWN = float("nan")

ACCEPTED = Counter("sector_orders_accepted", "Orders appended to an order log.")
REFUSED = Counter(
    "sector_orders_refused",
    "Orders refused by the API before they reached a log, by the title of the problem document.",
    ["reason"],
)
STREAMS = Gauge("sector_api_streams", "Open event streams.", multiprocess_mode="livesum")
DROPPED = Counter("sector_api_streams_dropped", "Event streams disconnected because their client read too slowly.")
SIMS = Gauge("sector_api_sims", "Sims that this API watches.", multiprocess_mode="livemax")
TICK = Gauge("sector_api_tick", "Tick at which the API serves its default sim.", multiprocess_mode="livemin")
_PENDING = Gauge(
    "sector_orders_pending",
    "Orders in the log of the default sim that no tick has processed. NaN without Redis.",
    multiprocess_mode="livemax",
)
_OLDEST = Gauge(
    "sector_oldest_pending_order_age_seconds",
    "Age of the oldest pending order, by the clocks of Redis and of this process; 0 without pending orders.",
    multiprocess_mode="livemax",
)

deprecate_metrics(
    {
        "sector_orders_waiting": "sector_orders_pending",
        "sector_oldest_order_seconds": "sector_oldest_pending_order_age_seconds",
    }
)


async def watch_pending(stop: asyncio.Event, redis: Client, sim_id: str) -> None:
    """Measure the pending orders of a sim once a second, until `stop`."""
    while not stop.is_set():
        try:
            orders = await load_pending(redis, sim_id)
        except (RedisError, StateError):
            # The conditions in /health report the error.
            _PENDING.set(_UNKNOWN)
            _OLDEST.set(_UNKNOWN)
        else:
            _PENDING.set(orders.count)
            _OLDEST.set(0.0 if orders.oldest is None else max(time.time() - _submitted_s(orders.oldest), 0.0))
        await wait_for_stop(stop, _INTERVAL_S)


def _submitted_s(order_id: str) -> float:
    """Return the time of an order, in seconds, from its id."""
    return int(order_id.partition("-")[0]) / 1000
