"""Environments that a service is started in: what its settings, its log and its machine may look like."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Environment:
    """`settings` are added to the environment of every service. `log`: a name in `fixtures.broken_logs`, where the log takes nothing."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    log: str = ""


_OF_LIBRARIES = (
    Environment("a proxy for all", dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy"), "http://127.0.0.1:1")),
    Environment("a SOCKS proxy", {"ALL_PROXY": "socks5://127.0.0.1:1", "NO_PROXY": "localhost,[::1]"}),
    Environment("a proxy that is no URL", {"http_proxy": "http://[::1", "all_proxy": "what://"}),
    Environment(
        "settings of Sanic",
        {"SANIC_REQUEST_BUFFER_SIZE": "abc", "SANIC_REAL_IP_HEADER": "x-me", "SANIC_KEEP_ALIVE": "no"},
    ),
    Environment("settings of websockets", {"WEBSOCKETS_MAX_LINE_LENGTH": "abc", "WEBSOCKETS_MAX_LOG_SIZE": "x"}),
    Environment(
        "settings of OpenTelemetry",
        {"OTEL_BSP_MAX_QUEUE_SIZE": "-1", "OTEL_SDK_DISABLED": "true", "OTEL_TRACES_SAMPLER": "x"},
    ),
    Environment("a file for keys of TLS", {"SSLKEYLOGFILE": "/missing/keys", "REQUESTS_CA_BUNDLE": "/missing"}),
)
ENVIRONMENTS = (
    Environment("a stalled reader of the log", log="full pipe"),
    Environment(
        "variables of all libraries", {name: value for each in _OF_LIBRARIES for name, value in each.settings.items()}
    ),
    Environment("a full disk for the log", log="full disk"),
    Environment("a closed log, and all is logged", {"LOG_LEVEL": "debug", "ACCESS_LOG": "all"}, log="closed pipe"),
    *_OF_LIBRARIES,
)
"""In each of them a world plays. The first two are tried always, the others with SECTOR_LONG."""
