"""CORS: which origins' pages may read responses, and the preflight requests of browsers."""

from sanic import Request

from sector.api.responses import Headers, Response

_METHODS = b"GET, HEAD, POST, OPTIONS"
_REQUEST_HEADERS = (
    b"authorization, content-type, idempotency-key, if-none-match, last-event-id, traceparent, tracestate, x-request-id"
)
_EXPOSED_HEADERS = b"etag, location, retry-after, x-request-id, idempotency-replayed"
_MAX_AGE_S = b"86400"


class Cors:
    """Allows the pages of `origins` to read responses; `*` allows those of all origins."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._all = "*" in origins
        self._origins = frozenset(origins)

    def headers(self, request: Request) -> Headers:
        """Return the CORS headers of a response to this request."""
        if not self._origins:
            return ()
        if self._all:
            return ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _EXPOSED_HEADERS))
        origin = request.headers.get("origin", "")
        if origin not in self._origins:
            return ((b"vary", b"origin"),)
        return (
            (b"access-control-allow-origin", origin.encode()),
            (b"access-control-expose-headers", _EXPOSED_HEADERS),
            (b"vary", b"origin"),
        )

    def preflight(self, request: Request) -> Response:
        """Return the response to a preflight request, without its CORS headers."""
        response = Response(b"", 204, content_type=b"")
        if any(name == b"access-control-allow-origin" for name, _ in self.headers(request)):
            response.encoded_headers += (
                (b"access-control-allow-methods", _METHODS),
                (b"access-control-allow-headers", _REQUEST_HEADERS),
                (b"access-control-max-age", _MAX_AGE_S),
            )
        return response
