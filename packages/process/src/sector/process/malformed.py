"""Requests that are refused before anything else reads them: each is answered and counted, and one a second is logged."""

import logging
import time
from collections.abc import Mapping
from http import HTTPStatus

from prometheus_client import Counter
from sanic import HTTPResponse, Request
from sanic.exceptions import PayloadTooLarge, SanicException
from sanic.handlers import ErrorHandler
from sanic.response import json

# It creates the folder of metrics, which they need at once.
import sector.process.metrics  # noqa: F401

log = logging.getLogger(__name__)

_MALFORMED = Counter(
    "sector_http_requests_malformed",
    "Requests that violated RFC 9112, or whose head was too large or did not arrive in time.",
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


class ProblemHandler(ErrorHandler):
    """Answers errors with a problem document (RFC 9457), unless the app has a handler of its own for them.

    Sanic's own pages depend on the `Accept` header, and fail with 500 if that is malformed.
    """

    def default(self, request: Request, exception: Exception) -> HTTPResponse:
        """Answer with an error."""
        self.log(request, exception)
        if not isinstance(exception, SanicException):
            return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "see the log of this process", {})
        status = HTTPStatus(exception.status_code)
        if is_refused(request) and isinstance(exception, PayloadTooLarge):
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return _problem(status, str(exception), exception.headers)


def _problem(status: HTTPStatus, detail: str, headers: Mapping[str, object]) -> HTTPResponse:
    # The page of the viz reads `message`, also one of an earlier version.
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, "message": detail}
    return json(
        body,
        status,
        headers={name: str(value) for name, value in headers.items()},
        content_type="application/problem+json",
    )
