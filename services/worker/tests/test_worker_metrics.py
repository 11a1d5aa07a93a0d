"""The order metrics of a worker, with any reasons that a world gives."""

from prometheus_client import REGISTRY

from sector.models.frame import Frame, Table, encode
from sector.state.tick.head import Head
from sector.state.tick.outcome import CommittedTick, PhaseDurations
from sector.worker.metrics import SimMetrics

HEAD = Head(7, "1-0", "", "", 1, 1, "running", 0)


def count(orders: int, *reasons: str, named: bool = True) -> tuple[float, float, float]:
    """Count a tick with these rejected orders; returns the increase of applied, rejected, and rejected as `other`."""
    before = _counted()
    labels = {"reason": reasons} if named else {"words": reasons}
    events = encode(
        Frame("events", {"tick": 7}, {"order_rejected": Table(len(reasons), {}, labels)} if reasons else {})
    )
    SimMetrics("default").count_tick(CommittedTick(HEAD, orders, False, PhaseDurations(0.0, 0.0, 0.0), 5, events, 1000))
    after = _counted()
    return after[0] - before[0], after[1] - before[1], after[2] - before[2]


def _counted() -> tuple[float, float, float]:
    rejected = {
        sample.labels["reason"]: sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "sector_orders_rejected_total"
    }
    applied = REGISTRY.get_sample_value("sector_orders_applied_total") or 0.0
    return applied, sum(rejected.values()), rejected.get("other", 0.0)


async def test_orders_are_applied_or_rejected_for_a_reason() -> None:
    assert count(5) == (5, 0, 0)
    assert count(5, "no_lane", "no_lane", "not_owner") == (2, 3, 0)


async def test_orders_are_counted_with_any_number_of_reasons() -> None:
    assert count(3, "in words", named=False) == (2, 1, 1)
    many = [f"reason {number}" for number in range(200)]
    applied, rejected, other = count(200, *many)
    assert (applied, rejected) == (0, 200)
    assert other > 100, "so many labels are not made"
