"""Metrics of a bot: its turns and its orders."""

from prometheus_client import Counter, Gauge, Histogram

from sector.process.metric_aliases import deprecate_metrics
from sector.process.metrics import SECONDS

PLAY = Histogram(
    "sector_bot_turn_duration_seconds",
    "Duration of turns: loading the world, choosing orders and sending them.",
    buckets=SECONDS,
)
ACCEPTED = Counter("sector_bot_orders_accepted", "Orders of the bot that the API accepted.")
REFUSED = Counter(
    "sector_bot_orders_refused", "Orders of the bot that the API refused, by response status.", ["status"]
)
FAILURES = Counter("sector_bot_turn_failures", "Turns that failed, by exception.", ["kind"])
TICK = Gauge("sector_bot_tick", "Tick of the latest snapshot that the bot loaded.", multiprocess_mode="livemax")
deprecate_metrics(
    {
        "sector_bot_play_seconds": "sector_bot_turn_duration_seconds",
        "sector_bot_failures": "sector_bot_turn_failures",
    }
)
