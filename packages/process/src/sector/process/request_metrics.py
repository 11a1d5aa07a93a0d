"""Metrics of HTTP requests: their number, status and duration."""

import re

from prometheus_client import Histogram
from sanic import HTTPResponse, Request

from sector.models.deprecated_names import deprecated_names
from sector.process.deferred_metrics import defer_metric
from sector.process.metric_aliases import deprecate_metrics
from sector.process.metrics import SECONDS
from sector.process.timed_request import elapsed_s

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
OTHER = "other"
_PARAMETER_TYPE = re.compile(r":\w+(?=>)")
_OPERATOR_PATHS = ("/health", "/metrics")

_REQUESTS = Histogram(
    "sector_http_request_duration_seconds",
    "Duration of HTTP requests, from the head of the request to the response. Streams: until their first byte.",
    ["method", "route", "status"],
    buckets=SECONDS,
)
deprecate_metrics({"sector_http_request_seconds": "sector_http_request_duration_seconds"})
_children: dict[tuple[str, str, int], Histogram] = {}


def observe_request(request: Request, status: int) -> None:
    """Count a request whose response is ready. Unknown methods and paths count as `other`."""
    route = request.route
    if route is None:
        method = request.method if request.method in METHODS else OTHER
        _REQUESTS.labels(method, OTHER, status).observe(0.0)
        return
    child = _children.get((request.method, route.name, status))
    if child is None:
        child = _children[request.method, route.name, status] = _REQUESTS.labels(
            request.method, "/" + _PARAMETER_TYPE.sub("", route.path), status
        )
    defer_metric(child.observe, elapsed_s(request) or 0.0)


async def observe_response(request: Request, response: HTTPResponse) -> None:
    """Count a response, as middleware of an app. Requests for health and metrics are not counted."""
    if not request.path.startswith(_OPERATOR_PATHS):
        observe_request(request, response.status)


__getattr__ = deprecated_names(__name__, {"count": "observe_request", "count_answer": "observe_response"})
