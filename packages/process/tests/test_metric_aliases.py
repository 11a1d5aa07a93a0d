"""Renamed metrics: both names have the same values, and the help of the earlier one states the new name."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from sector.process.metric_aliases import EarlierNames, deprecate_metrics


def parse_families(registry: CollectorRegistry) -> dict[str, tuple[str, str, list[tuple[str, dict[str, str], float]]]]:
    """Return type, help and samples of each family, as Prometheus parses them.

    Names of samples do not repeat that of the family.
    """
    text = generate_latest(EarlierNames(registry)).decode()
    return {
        family.name: (
            family.type,
            family.documentation,
            [(each.name.removeprefix(family.name), dict(each.labels), each.value) for each in family.samples],
        )
        for family in text_string_to_metric_families(text)
    }


def test_a_renamed_metric_has_the_same_samples_under_both_names() -> None:
    registry = CollectorRegistry()
    Counter("alias_orders_accepted", "Orders.", ["reason"], registry=registry).labels("new").inc(3)
    Gauge("alias_queue_size", "Size.", registry=registry).set(7)
    Histogram("alias_delay_seconds", "Delay.", registry=registry, buckets=(1, 2)).observe(1.5)
    deprecate_metrics(
        {
            "alias_orders_taken": "alias_orders_accepted",
            "alias_waiting": "alias_queue_size",
            "alias_lag_seconds": "alias_delay_seconds",
        }
    )
    families = parse_families(registry)
    for earlier_name, new_name in (
        ("alias_orders_taken", "alias_orders_accepted"),
        ("alias_waiting", "alias_queue_size"),
        ("alias_lag_seconds", "alias_delay_seconds"),
    ):
        (earlier_type, _, earlier_samples), (new_type, _, new_samples) = families[earlier_name], families[new_name]
        assert (earlier_type, earlier_samples) == (new_type, new_samples)
        assert new_samples


def test_the_help_of_an_earlier_name_states_the_new_name() -> None:
    registry = CollectorRegistry()
    Counter("alias_leases_acquired", "Leases.", registry=registry)
    deprecate_metrics({"alias_leases_taken": "alias_leases_acquired"})
    _, documentation, _ = parse_families(registry)["alias_leases_taken"]
    assert documentation == "Deprecated: use alias_leases_acquired_total."


def test_other_metrics_are_exported_once() -> None:
    registry = CollectorRegistry()
    Gauge("alias_present", "Present.", registry=registry).set(1)
    assert list(parse_families(registry)) == ["alias_present"]
