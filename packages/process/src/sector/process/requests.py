"""Requests, counted as they are answered: how many, how each ended, and how long it took."""

import re
from time import perf_counter

from prometheus_client import Histogram
from sanic import HTTPResponse, Request

from sector.process.deferred_metrics import defer_metric
from sector.process.metric_aliases import deprecate_metrics
from sector.process.metrics import SECONDS

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
OTHER = "other"
_KIND = re.compile(r":\w+(?=>)")
_OF_OPERATORS = ("/health", "/metrics")

_REQUESTS = Histogram(
    "sector_http_request_duration_seconds",
    "Duration of HTTP requests, from the head of the request to the response. Streams: until their first byte.",
    ["method", "route", "status"],
    buckets=SECONDS,
)
deprecate_metrics({"sector_http_request_seconds": "sector_http_request_duration_seconds"})
_known: dict[tuple[str, str, int], Histogram] = {}


def count(request: Request, status: int) -> None:
    """Count a request that is answered now. What a client makes up, methods and paths, is counted as `other`."""
    route = request.route
    if route is None:
        # It may not have been read to the end of its head: the clock is still that of the request before.
        method = request.method if request.method in METHODS else OTHER
        _REQUESTS.labels(method, OTHER, status).observe(0.0)
        return
    child = _known.get((request.method, route.name, status))
    if child is None:
        child = _known[request.method, route.name, status] = _REQUESTS.labels(
            request.method, "/" + _KIND.sub("", route.path), status
        )
    began_s: float | None = getattr(request.stream, "perft0", None)
    defer_metric(child.observe, 0.0 if began_s is None else perf_counter() - began_s)


async def count_answer(request: Request, response: HTTPResponse) -> None:
    """Count, as middleware of an app. What asks for health and metrics is no traffic."""
    if not request.path.startswith(_OF_OPERATORS):
        count(request, response.status)
