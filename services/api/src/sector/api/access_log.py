"""The access log: one line for each response, or only for errors."""

import time
from collections.abc import Callable, Mapping
from typing import Literal

from sanic import Request

from sector.api.responses import Response
from sector.process.log_stream import log_stream
from sector.process.logs import line, printable
from sector.process.timed_request import elapsed_s

_MIN_STATUS: Mapping[str, int] = {"all": 0, "errors": 400, "none": 1000}
_SERVER_ERROR = 500


class AccessLog:
    """Writes a line for each response whose status is at least `min_status`."""

    def __init__(
        self,
        which: Literal["all", "errors", "none"],
        address: Callable[[Request], str],
        subject: Callable[[Request], str | None],
        *,
        as_json: bool,
    ) -> None:
        self._address = address
        self._subject = subject
        self.min_status = _MIN_STATUS[which]
        self._as_json = as_json
        self._stream = log_stream()

    def write(self, request: Request, response: Response, request_id: str) -> None:
        """Write the line of a response."""
        took_s = elapsed_s(request)
        entry = {
            "at_ms": time.time_ns() // 1_000_000,
            "level": "info" if response.status < _SERVER_ERROR else "error",
            "service": "sector-api",
            "event": "request completed",
            "request": request_id,
            **trace_field(request),
            "method": request.method,
            "path": request.path,
            "query": request.query_string,
            "status": response.status,
            "bytes": len(response.body or b""),
            "took_ms": None if took_s is None else round(took_s * 1000, 3),
            "address": self._address(request),
            "subject": self._subject(request),
            "agent": request.headers.get("user-agent", "")[:200],
        }
        # Written directly: the logging of the standard library takes several times as long.
        self._stream.write((line(entry) if self._as_json else _as_text(entry)) + "\n")


def trace_field(request: Request) -> dict[str, str]:
    """Return the log field of the trace of a request; empty if the request has no trace."""
    trace = getattr(request.ctx, "trace", None)
    return {} if trace is None else {"trace": trace}


def _as_text(entry: Mapping[str, object]) -> str:
    clock = time.strftime("%H:%M:%S")
    text = "{} {method} {path} {status}, {took_ms} ms, request {request} of {subject} at {address}".format(
        clock, **entry
    )
    return printable(text)
