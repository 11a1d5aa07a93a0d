"""GET /metrics: what this process counted, as Prometheus reads it. Counting is an addition; the text is made when it is asked for."""

from collections.abc import Callable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sanic import Request

from sector.api.answers import Answer
from sector.api.followed import Followed
from sector.api.guard import Guard
from sector.api.orders import Orders
from sector.api.stream import Streams


class Metrics(Collector):
    """Reads the counts where they are kept."""

    def __init__(self, guard: Guard, orders: Orders, streams: Streams, own: Callable[[], Followed | None]) -> None:
        self._guard = guard
        self._orders = orders
        self._streams = streams
        self._own = own
        self._registry = CollectorRegistry()
        self._registry.register(self)

    async def get(self, _: Request) -> Answer:
        """Answer with all of them."""
        return Answer.page(
            generate_latest(self._registry), CONTENT_TYPE_LATEST.encode(), ((b"x-content-type-options", b"nosniff"),)
        )

    def collect(self) -> Iterator[Metric]:
        """Yield each, with its help."""
        answers = CounterMetricFamily(
            "sector_api_answers", "Answers, by method and status.", labels=["method", "status"]
        )
        for (method, status), count in sorted(self._guard.counts.items()):
            answers.add_metric([method, str(status)], count)
        yield answers
        yield CounterMetricFamily(
            "sector_api_orders_accepted", "Orders that went into a log.", value=self._orders.accepted
        )
        yield GaugeMetricFamily("sector_api_streams", "Event streams that are open.", value=self._streams.open)
        yield CounterMetricFamily(
            "sector_api_streams_dropped",
            "Event streams that were ended since they read too slowly.",
            value=self._streams.dropped,
        )
        own = self._own()
        if own is not None and own.bodies is not None:
            yield GaugeMetricFamily(
                "sector_api_tick", "The tick that its own sim is shown at.", value=own.bodies.view.head.tick
            )
