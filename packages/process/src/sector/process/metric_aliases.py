"""Earlier names of metrics: a renamed metric is exported under both names for one minor version.

The values are copied at each scrape, so updates have no additional cost.
"""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_earlier_names: dict[str, str] = {}
"""The earlier name of each renamed metric, by its new name. Names of counters do not have `_total`."""


def deprecate_metrics(renamed: Mapping[str, str]) -> None:
    """Export metrics under their earlier names too.

    `renamed`: maps each earlier name to the new one. Names of counters do not have `_total`.
    """
    _earlier_names.update({new_name: earlier_name for earlier_name, new_name in renamed.items()})


class EarlierNames(Collector):
    """Collects the metrics of another collector, and after each renamed metric a copy with its earlier name."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics and the copies."""
        return with_earlier_names(self._collector.collect())


def with_earlier_names(metrics: Iterable[Metric]) -> Iterator[Metric]:
    """Yield the metrics, and after each renamed one a copy with its earlier name.

    The help of the copy states the new name.
    """
    for metric in metrics:
        yield metric
        if (earlier_name := _earlier_names.get(metric.name)) is not None:
            yield _copy(metric, earlier_name)


def _copy(metric: Metric, name: str) -> Metric:
    new_name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    copy = Metric(name, f"Deprecated: use {new_name}.", metric.type, metric.unit)
    copy.samples = [sample._replace(name=name + sample.name.removeprefix(metric.name)) for sample in metric.samples]
    return copy
