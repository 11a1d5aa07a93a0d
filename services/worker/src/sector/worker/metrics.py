"""Metrics of a worker: its ticks, by phase, and its leases. Sims named in `SIM_ID` have a label of their own; all others share `*`."""

from collections import Counter as Tally

from prometheus_client import Counter, Gauge, Histogram

from sector.models.frame import decode
from sector.process.deferred_metrics import defer_metric
from sector.process.metric_aliases import deprecate_metrics
from sector.process.metrics import BYTES, SECONDS
from sector.state.tick.outcome import CommittedTick, PhaseDurations

OTHERS = "*"
"""The label of all sims that are not named in the settings: their number is unlimited."""

_MAX_REASONS = 50
_OTHER = "other"
_reasons: set[str] = set()

_PHASE = Histogram(
    "sector_tick_phase_duration_seconds",
    "Duration of the phases of committed ticks: read, compute, write.",
    ["phase"],
    buckets=SECONDS,
)
_PHASES = tuple(_PHASE.labels(name) for name in ("read", "compute", "write"))
_TICK = Histogram("sector_tick_duration_seconds", "Duration of committed ticks.", buckets=SECONDS)
LATENESS = Histogram(
    "sector_tick_lateness_seconds", "Delay of the start of ticks, compared with their schedule.", buckets=SECONDS
)
CONFLICTS = Counter("sector_commit_conflicts", "Ticks that were not committed because another writer changed the sim.")
FAILURES = Counter("sector_tick_failures", "Ticks and attempts to acquire a lease that failed, by exception.", ["kind"])

_APPLIED = Counter("sector_orders_applied", "Orders that ticks applied.")
_REJECTED = Counter(
    "sector_orders_rejected", "Orders that ticks rejected because they broke a rule, by reason.", ["reason"]
)
_WAIT = Histogram(
    "sector_order_wait_seconds",
    "Time that the oldest order of a tick spent in the order log, of ticks with orders.",
    buckets=SECONDS,
)
_SNAPSHOT = Gauge(
    "sector_snapshot_bytes", "Size of the state of a sim after its last tick.", ["sim"], multiprocess_mode="livemax"
)
_SNAPSHOT_WRITTEN = Histogram(
    "sector_snapshot_write_bytes", "Size of the full snapshots written to Redis.", buckets=BYTES
)
_HISTORY = Gauge(
    "sector_history_bytes",
    "Approximate size of the stored history of a sim after its last tick.",
    ["sim"],
    multiprocess_mode="livemax",
)
_MEMORY = Gauge(
    "sector_redis_memory_ratio",
    "Memory that Redis uses, as a ratio of its maxmemory; 0 without a limit.",
    multiprocess_mode="livemax",
)
_SIM_TICK = Gauge(
    "sector_tick", "Last committed tick of a sim whose lease this worker holds.", ["sim"], multiprocess_mode="livemax"
)

_LEASES_TAKEN = Counter("sector_leases_acquired", "Leases that this worker acquired.")
_TAKEOVERS = Counter("sector_lease_takeovers", "Acquired leases of sims that had a lease before.")
LEASES_LOST = Counter("sector_leases_lost", "Leases that expired, or that another worker acquired.")
_EPOCH = Gauge(
    "sector_lease_epoch",
    "Fencing epoch of the lease that this worker acquired last.",
    ["sim"],
    multiprocess_mode="livemax",
)
SIMS_HELD = Gauge("sector_sims_held", "Sims whose lease this worker holds.", multiprocess_mode="livesum")
SIMS_SERVED = Gauge(
    "sector_sims_desired", "Sims that the workers should hold, all together.", multiprocess_mode="livemax"
)

deprecate_metrics(
    {
        "sector_tick_seconds": "sector_tick_duration_seconds",
        "sector_tick_phase_seconds": "sector_tick_phase_duration_seconds",
        "sector_snapshot_written_bytes": "sector_snapshot_write_bytes",
        "sector_leases_taken": "sector_leases_acquired",
        "sector_sims_served": "sector_sims_desired",
    }
)


class SimMetrics:
    """The metrics of one sim, with the label `sim`."""

    def __init__(self, sim: str) -> None:
        self._tick = _SIM_TICK.labels(sim)
        self._snapshot = _SNAPSHOT.labels(sim)
        self._history = _HISTORY.labels(sim)
        self._epoch = _EPOCH.labels(sim)

    def count_lease(self, epoch: int) -> None:
        """Count an acquired lease. The first of a sim has epoch 1."""
        _LEASES_TAKEN.inc()
        _TAKEOVERS.inc(epoch > 1)
        self._epoch.set(epoch)

    def count_tick(self, tick: CommittedTick) -> None:
        """Count a committed tick."""
        defer_metric(self._count, (tick.durations, tick.head.tick))
        defer_metric(self._count_storage, (tick.history_bytes, tick.memory.share))
        if tick.orders:
            _count_orders(tick)
        if tick.snapshot_written:
            _SNAPSHOT_WRITTEN.observe(tick.snapshot_bytes)
            self._snapshot.set(tick.snapshot_bytes)

    def _count(self, ticked: tuple[PhaseDurations, int]) -> None:
        durations, number = ticked
        for phase, seconds in zip(_PHASES, durations, strict=True):
            phase.observe(seconds)
        _TICK.observe(sum(durations))
        self._tick.set(number)

    def _count_storage(self, stored: tuple[int, float]) -> None:
        history_bytes, memory_ratio = stored
        self._history.set(history_bytes)
        _MEMORY.set(memory_ratio)


def _count_orders(tick: CommittedTick) -> None:
    _WAIT.observe(tick.waited_ms / 1000)
    table = decode(tick.events).tables.get("order_rejected")
    rejected = 0 if table is None else table.rows
    if table is not None:
        # Another world may give no reasons, or others.
        for reason, count in Tally(table.labels.get("reason", (_OTHER,) * rejected)).items():
            _REJECTED.labels(_bounded(reason)).inc(count)
    _APPLIED.inc(tick.orders - rejected)


def _bounded(reason: str) -> str:
    if reason not in _reasons and len(_reasons) < _MAX_REASONS:
        _reasons.add(reason)
    return reason if reason in _reasons else _OTHER
