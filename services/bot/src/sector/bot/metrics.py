"""What a bot counts: its looks at the world, and its orders."""

from prometheus_client import Counter, Gauge, Histogram

from sector.process.metrics import SECONDS

PLAY = Histogram("sector_bot_play_seconds", "Looks at the world, with the orders that came of each.", buckets=SECONDS)
ACCEPTED = Counter("sector_bot_orders_accepted", "Orders that the API took.")
REFUSED = Counter("sector_bot_orders_refused", "Orders that the API refused, by the status of its answer.", ["status"])
FAILURES = Counter("sector_bot_failures", "Looks that failed, by what went wrong.", ["kind"])
TICK = Gauge("sector_bot_tick", "Tick that it saw last.", multiprocess_mode="livemax")
