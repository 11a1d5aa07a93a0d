"""The operations of the process: health, metrics and the OpenAPI document."""

from sector.api import examples
from sector.api.operation import Operation, Reply
from sector.api.operations.shared_parts import OBJECT

_NOT_READY = Reply("The process is not ready. The body has the reasons.", OBJECT, example=examples.UNREADY)

GET_HEALTH = Operation(
    "get",
    "/health",
    "Health of the process",
    {
        200: Reply("The process is ready.", OBJECT, example=examples.READY),
        503: _NOT_READY,
    },
    of_sim=False,
)

GET_LIVENESS = Operation(
    "get",
    "/health/live",
    "Liveness of the process",
    {200: Reply("The process is live.", OBJECT, example=examples.LIVE)},
    of_sim=False,
)

GET_READINESS = Operation(
    "get",
    "/health/ready",
    "Readiness of the process",
    {200: Reply("The process is ready.", OBJECT, example=examples.READY), 503: _NOT_READY},
    of_sim=False,
)

GET_METRICS = Operation(
    "get",
    "/metrics",
    "Metrics of the process",
    {200: Reply("Metrics in the text format of Prometheus.", {"type": "string"}, "text/plain", examples.METRICS)},
    of_sim=False,
)

GET_OPENAPI = Operation("get", "/openapi.json", "This document", {200: Reply("OpenAPI 3.1.", OBJECT)}, of_sim=False)
