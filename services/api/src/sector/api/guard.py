"""What every answer passes on its way out: request id, CORS, the access log."""

import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from sanic import HTTPResponse, Request

from sector.api.request_throttle import RequestThrottle
from sector.api.responses import SECURITY_HEADERS, Headers, Response
from sector.process import App
from sector.process.log_stream import log_stream
from sector.process.logs import line, printable
from sector.process.rejected_requests import is_rejected
from sector.process.request_metrics import observe_request

type Handler = Callable[..., Awaitable[Response | None]]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = b"GET, HEAD, POST, OPTIONS"
_ALLOWED = (
    b"authorization, content-type, idempotency-key, if-none-match, last-event-id, traceparent, tracestate, x-request-id"
)
_EXPOSED = b"etag, location, retry-after, x-request-id, idempotency-replayed"
_DAY_S = b"86400"
_SERVER_ERROR = 500


class AccessLog:
    """A line for each answer, or for those that are errors."""

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
        self.least = {"all": 0, "errors": 400, "none": 1000}[which]
        self._as_json = as_json
        self._stream = log_stream()

    def note(self, request: Request, answer: Response, request_id: str) -> None:
        """Write the line."""
        began_s = getattr(request.stream, "perft0", None)
        told = {
            "at_ms": time.time_ns() // 1_000_000,
            "level": "info" if answer.status < _SERVER_ERROR else "error",
            "service": "sector-api",
            "event": "answered",
            "request": request_id,
            **trace_of(request),
            "method": request.method,
            "path": request.path,
            "query": request.query_string,
            "status": answer.status,
            "bytes": len(answer.body or b""),
            "took_ms": None if began_s is None else round((time.perf_counter() - began_s) * 1000, 3),
            "address": self._address(request),
            "subject": self._subject(request),
            "agent": request.headers.get("user-agent", "")[:200],
        }
        # Past the logging of the standard library, which takes several times as long.
        self._stream.write((line(told) if self._as_json else _for_people(told)) + "\n")


def trace_of(request: Request) -> dict[str, str]:
    """Return the trace of a request, as it stands in a log, where it has one."""
    trace = getattr(request.ctx, "trace", None)
    return {} if trace is None else {"trace": trace}


def _for_people(told: Mapping[str, object]) -> str:
    clock = time.strftime("%H:%M:%S")
    text = "{} {method} {path} {status}, {took_ms} ms, request {request} of {subject} at {address}".format(
        clock, **told
    )
    return printable(text)


class Cors:
    """Says which origins' pages may read the answers."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._all = "*" in origins
        self._origins = frozenset(origins)

    def headers(self, request: Request) -> Headers:
        """Return what an answer to this request says of it."""
        if not self._origins:
            return ()
        if self._all:
            return ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _EXPOSED))
        origin = request.headers.get("origin", "")
        if origin not in self._origins:
            return ((b"vary", b"origin"),)
        return (
            (b"access-control-allow-origin", origin.encode()),
            (b"access-control-expose-headers", _EXPOSED),
            (b"vary", b"origin"),
        )

    def preflight(self, request: Request) -> Response:
        """Answer the question of a browser whether a request may be made."""
        answer = Response(b"", 204, content_type=b"")
        allowed = self.headers(request)
        if any(name == b"access-control-allow-origin" for name, _ in allowed):
            answer.encoded_headers += (
                (b"access-control-allow-methods", _METHODS),
                (b"access-control-allow-headers", _ALLOWED),
                (b"access-control-max-age", _DAY_S),
            )
        return answer


class Guard:
    """Finishes answers."""

    def __init__(self, access_log: AccessLog, cors: Cors, work: RequestThrottle) -> None:
        self._log = access_log
        self._cors = cors
        self._work = work
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._paths: set[str] = set()

    def request_id(self, request: Request) -> str:
        """Return the id that a request came with, or a new one."""
        given = request.headers.getone("x-request-id", None)
        return given if given and _REQUEST_ID.fullmatch(given) else f"{self._prefix}-{next(self._numbers):x}"

    def finish(self, request: Request, answer: Response, request_id: str = "") -> HTTPResponse:
        """Return the answer with what every answer says, and note it. `request_id`: where it was told already."""
        request_id = request_id or self.request_id(request)
        observe_request(request, answer.status)
        answer.encoded_headers += ((b"x-request-id", request_id.encode()), *self._cors.headers(request))
        # A refused one is logged already, at most once a second.
        if answer.status >= self._log.least and not is_rejected(request):
            self._log.note(request, answer, request_id)
        return answer

    def headers_of(self, request: Request) -> dict[str, str]:
        """Return the headers of an answer that is not one of ours: the guards, and what CORS says."""
        return {name.decode(): value.decode() for name, value in (*SECURITY_HEADERS, *self._cors.headers(request))}

    def on(self, app: App, method: str, path: str, handler: Handler) -> None:
        """Have `handler` answer this; one that answered by itself returns None. OPTIONS is answered there too."""

        async def finished(request: Request, **named: str) -> HTTPResponse | None:
            self._work.check(request)
            sent = 0
            try:
                answer = await handler(request, **named)
                sent = 0 if answer is None else len(answer.body or b"")
            finally:
                self._work.charge(request, sent)
            return None if answer is None else self.finish(request, answer)

        async def options(request: Request, **_: str) -> HTTPResponse:
            return self.finish(request, self._cors.preflight(request))

        name = path.translate(_NAME)
        methods = ("GET", "HEAD") if method == "GET" else (method,)
        # All errors are answered by ourselves; without a format Sanic parses the source of each handler.
        app.add_route(finished, path, methods=methods, name=f"{method}{name}", error_format="json")
        if path not in self._paths:
            self._paths.add(path)
            app.add_route(options, path, methods=("OPTIONS",), name=f"OPTIONS{name}", error_format="json")


_NAME = str.maketrans({character: "_" for character in " /<>:"})
