"""HTTP responses whose headers are encoded once, not for each request."""

from collections.abc import Iterator, Mapping
from itertools import chain

import orjson
from pydantic import JsonValue
from sanic import HTTPResponse

JSON, PROBLEM, EVENT_STREAM = b"application/json", b"application/problem+json", b"text/event-stream"

type Headers = tuple[tuple[bytes, bytes], ...]

SECURITY_HEADERS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""On every response: browsers must not run its body, frame it, or guess its type."""
_DEFAULT_HEADERS: Mapping[bytes, Headers] = {
    content_type: ((b"content-type", content_type), *SECURITY_HEADERS) for content_type in (JSON, PROBLEM, EVENT_STREAM)
}


class Response(HTTPResponse):
    """A response with the security headers. Without a body its `content_type` is empty.

    Its own headers are encoded pairs, in `encoded_headers`: a response takes 3.7 µs. With Sanic's headers it takes 22 µs, because Sanic
    encodes and checks each header of each response. Check a value that comes from a client before it becomes a header.
    """

    __slots__ = ("encoded_headers",)

    def __init__(self, body: bytes, status: int = 200, *, content_type: bytes = JSON, headers: Headers = ()) -> None:
        super().__init__(body, status)
        self.encoded_headers: Headers = _DEFAULT_HEADERS.get(content_type, SECURITY_HEADERS) + headers

    @property
    def processed_headers(self) -> Iterator[tuple[bytes, bytes]]:
        """The own headers, then those that Sanic sets: the length or transfer encoding, and `connection`."""
        return chain(
            self.encoded_headers, [(name.encode(), str(value).encode()) for name, value in self.headers.items()]
        )


def json_response(body: JsonValue, status: int = 200, *, headers: Headers = ()) -> Response:
    """Return a response in JSON."""
    return Response(orjson.dumps(body), status, headers=headers)


def page_response(body: bytes, content_type: bytes, headers: Headers) -> Response:
    """Return a part of a page. It has `headers` instead of the security headers, because browsers run it."""
    response = Response(body)
    response.encoded_headers = ((b"content-type", content_type), *headers)
    return response
