"""Requests that the HTTP parser rejects before a handler reads them.

Each is counted, and at most one per second is logged.
"""

import logging
import time

from prometheus_client import Counter
from sanic import Request

# This import comes before the definition of metrics, because it sets how their values are stored.
import sector.process.metrics  # noqa: F401
from sector.models.deprecated_names import deprecated_names

log = logging.getLogger(__name__)

_MALFORMED = Counter(
    "sector_http_requests_malformed",
    "HTTP requests that violate RFC 9112, or whose head is too large or arrives too late.",
)
_LOG_EVERY_S = 1.0


class _LogLimit:
    """Limits log lines to one per second. `skipped`: how many were skipped since the last one."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self.skipped = 0

    def admit(self) -> bool:
        now_s = time.monotonic()
        if now_s < self._next_s:
            self.skipped += 1
            return False
        self._next_s = now_s + _LOG_EVERY_S
        return True


_limit = _LogLimit()


def count_rejected_request(address: str, reason: str) -> None:
    """Count a rejected request, and log it at most once per second."""
    _MALFORMED.inc()
    if _limit.admit():
        skipped, _limit.skipped = _limit.skipped, 0
        extra: dict[str, object] = {"address": address, "reason": reason} | ({"not_logged": skipped} if skipped else {})
        log.warning("malformed request rejected", extra=extra)


def is_rejected(request: Request) -> bool:
    """Say whether the HTTP parser rejected a request. Such a request is already logged."""
    return getattr(request.stream, "rejected", False)


__getattr__ = deprecated_names(__name__, {"note": "count_rejected_request", "is_refused": "is_rejected"})
