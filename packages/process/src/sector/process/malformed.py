"""Requests that are refused before anything else reads them: each is answered and counted, and one a second is logged."""

import logging
import time

from prometheus_client import Counter
from sanic import Request

# It creates the folder of metrics, which they need at once.
import sector.process.metrics  # noqa: F401

log = logging.getLogger(__name__)

_MALFORMED = Counter(
    "sector_http_requests_malformed",
    "HTTP requests that violate RFC 9112, or whose head is too large or arrives too late.",
)
_LOG_EVERY_S = 1.0


class _LogLimit:
    """Says when to log. `skipped`: how often it was not said since the last time."""

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


def note(address: str, reason: str) -> None:
    """Count a request that was refused, and log it, at most once a second."""
    _MALFORMED.inc()
    if _limit.admit():
        skipped, _limit.skipped = _limit.skipped, 0
        extra: dict[str, object] = {"address": address} | ({"not_logged": skipped} if skipped else {})
        log.warning("a malformed request was rejected: %s", reason, extra=extra)


def is_refused(request: Request) -> bool:
    """Say whether a request is one that was refused: it is logged already."""
    return getattr(request.stream, "refused", False)
