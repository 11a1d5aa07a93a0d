"""Metrics of a viz: its spectators, the messages to them, and their delay."""

from prometheus_client import Counter, Gauge, Histogram

from sector.process.metric_aliases import deprecate_metrics
from sector.process.metrics import BYTES, SECONDS

SPECTATORS = Gauge("sector_viz_spectators", "Connected spectators.", multiprocess_mode="livesum")
SIMS = Gauge("sector_viz_sims", "Sims that this viz watches.", multiprocess_mode="livesum")
DROPPED = Counter("sector_viz_spectators_dropped", "Slow spectators that were disconnected.")
REFUSED = Counter(
    "sector_viz_spectators_refused",
    "Spectators refused because MAX_SPECTATORS or MAX_SPECTATORS_PER_ADDRESS is reached.",
)
REFUSED_ORIGIN = Counter(
    "sector_viz_origins_refused", "Requests of spectators refused because their Origin is another host."
)
EXPIRED = Counter(
    "sector_viz_handshakes_expired", "Sessions disconnected because they did not complete the handshake in time."
)
MALFORMED = Counter(
    "sector_viz_messages_malformed", "Malformed messages from clients. Their senders were disconnected."
)
MESSAGES = Counter(
    "sector_viz_messages_sent", "Messages sent to spectators. A tick broadcast to 100 spectators counts 100."
)
FRAME = Histogram(
    "sector_viz_frame_bytes", "Size of the ticks that were broadcast, as they are encoded.", buckets=BYTES
)
DELAY = Histogram(
    "sector_viz_frame_delay_seconds",
    "Delay from the commit of a tick to its broadcast, by the clocks of worker and viz.",
    buckets=SECONDS,
)
TICK = Gauge("sector_viz_tick", "Tick at which the viz shows its default sim.", multiprocess_mode="livemin")
deprecate_metrics({"sector_viz_messages": "sector_viz_messages_sent"})
