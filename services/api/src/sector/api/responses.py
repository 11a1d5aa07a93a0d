"""Answers: responses whose headers are made once, not for each request."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Self

import orjson
from pydantic import JsonValue
from sanic import HTTPResponse
from sanic.response import BaseHTTPResponse

JSON, PROBLEM, EVENT_STREAM = b"application/json", b"application/problem+json", b"text/event-stream"

type Headers = tuple[tuple[bytes, bytes], ...]

SECURITY_HEADERS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""On every answer: it is data, and nothing in it is to be run, framed or guessed at."""
_FIXED: Mapping[bytes, Headers] = {
    # As one: they are put together here, not for each answer.
    kind: ((b"content-type", b"\r\n".join((kind, *(b"%b: %b" % each for each in SECURITY_HEADERS)))),)
    for kind in (JSON, PROBLEM, EVENT_STREAM)
}


class Response(HTTPResponse):
    """A response with the guards. `kind` is its content type; empty where there is no body.

    `more` are encoded already; what comes from outside must be checked before it gets there.
    """

    __slots__ = ("fixed",)

    def __init__(self, body: bytes, status: int = 200, *, kind: bytes = JSON, more: Headers = ()) -> None:
        # Not HTTPResponse's own, which makes headers twice and encodes what is encoded.
        BaseHTTPResponse.__init__(self)
        self.status, self.body, self.content_type = status, body, None
        self.fixed: Headers = _FIXED.get(kind, SECURITY_HEADERS) + more

    @classmethod
    def page(cls, body: bytes, kind: bytes, guards: Headers) -> Self:
        """Return a part of a page, with guards of its own: it is to be run."""
        answer = cls(body, kind=b"")
        answer.fixed = ((b"content-type", kind), *guards)
        return answer

    def add(self, *more: tuple[bytes, bytes]) -> None:
        """Add headers."""
        self.fixed += more

    @property
    def processed_headers(self) -> Iterator[tuple[bytes, bytes]]:
        """Those of the answer, then those that Sanic added: length or encoding, and connection."""
        return chain(self.fixed, [(name.encode(), str(value).encode()) for name, value in self.headers.items()])


def json_response(body: JsonValue, status: int = 200, *, more: Headers = ()) -> Response:
    """Return an answer in JSON."""
    return Response(orjson.dumps(body), status, more=more)
