"""What a viz counts: who watches, what they are told, and how soon."""

from prometheus_client import Counter, Gauge, Histogram

from sector.process.metrics import BYTES, SECONDS

SPECTATORS = Gauge("sector_viz_spectators", "Spectators that are connected.", multiprocess_mode="livesum")
SHOWS = Gauge("sector_viz_sims", "Sims that are followed.", multiprocess_mode="livesum")
DROPPED = Counter("sector_viz_spectators_dropped", "Spectators that were dropped: they took too long to read.")
REFUSED = Counter("sector_viz_spectators_refused", "Spectators that were turned away: there were as many as may be.")
REFUSED_ORIGIN = Counter(
    "sector_viz_origins_refused", "Requests of spectators that were refused: their page is of another host."
)
EXPIRED = Counter("sector_viz_handshakes_expired", "Sessions that were ended because they did not join in time.")
MALFORMED = Counter(
    "sector_viz_messages_malformed", "Messages of clients that are malformed: their sender was disconnected."
)
TOLD = Counter("sector_viz_messages", "Messages to spectators: a tick told to a hundred is a hundred.")
FRAME = Histogram("sector_viz_frame_bytes", "Ticks that were told, and how large each was.", buckets=BYTES)
DELAY = Histogram(
    "sector_viz_frame_delay_seconds",
    "How long after its commit a tick was told to those who watch, by the clocks of both.",
    buckets=SECONDS,
)
TICK = Gauge("sector_viz_tick", "Tick that its own sim is shown at.", multiprocess_mode="livemin")
