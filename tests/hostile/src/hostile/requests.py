"""Requests that violate RFC 9112, or nearly so, and what each service answers. A new case is one line."""

from collections.abc import Sequence
from dataclasses import dataclass

_LIVE = b"GET /health/live HTTP/1.1\r\nhost: a\r\n"
_SECOND = _LIVE + b"\r\n"
_LAST = _LIVE + b"connection: close\r\n\r\n"
_POST = b"POST /health/live HTTP/1.1\r\nhost: a\r\n"
_LENGTH = b"%d" % len(_SECOND)


@dataclass(frozen=True)
class HostileRequest:
    """Bytes that are sent, and the statuses of all responses until the connection is closed."""

    name: str
    sent: bytes
    statuses: Sequence[int] = (400,)


REQUESTS = (
    HostileRequest("a space before the colon of a length", _POST + b"Content-Length : %b\r\n\r\n" % _LENGTH + _SECOND),
    HostileRequest(
        "a space before the colon of a coding", _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + _SECOND
    ),
    HostileRequest("a bare LF in a header", _POST + b"x: y\nContent-Length: %b\r\n\r\n" % _LENGTH + _SECOND),
    HostileRequest("a bare CR in a header", _POST + b"x: y\rContent-Length: %b\r\n\r\n" % _LENGTH + _SECOND),
    HostileRequest(
        "a length and a coding", _POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n" + _SECOND
    ),
    HostileRequest("two lengths", _POST + b"content-length: 0\r\ncontent-length: %b\r\n\r\n" % _LENGTH + _SECOND),
    HostileRequest("an unknown coding", _POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + _SECOND),
    HostileRequest("a folded header", _LIVE + b"x: y\r\n content-length: %b\r\n\r\n" % _LENGTH + _SECOND),
    HostileRequest("a NUL in a header", _LIVE + b"x: y\0\r\n\r\n"),
    HostileRequest("an escape sequence in the target", b"GET /\x1b HTTP/1.1\r\n\r\n"),
    HostileRequest("no Host", b"GET /health/live HTTP/1.1\r\n\r\n" + _SECOND),
    HostileRequest("two Hosts", _LIVE + b"host: b\r\n\r\n" + _SECOND),
    HostileRequest("lines that end with LF", b"GET /health/live HTTP/1.1\nhost: a\n\n" + _SECOND),
    HostileRequest("the beginning of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    HostileRequest("a chunk size with 0x", _POST + b"transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n" + _SECOND, (405,)),
    HostileRequest(
        "octets above 127 in a token", _LIVE + b"authorization: Bearer \xff\r\nconnection: close\r\n\r\n", (200,)
    ),
    HostileRequest(
        "a coding in upper case", _POST + b"transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n" + _LAST, (405, 200)
    ),
    HostileRequest("an empty line before", b"\r\n" + _LAST, (200,)),
    HostileRequest("HTTP/1.0 without Host", b"GET /health/live HTTP/1.0\r\n\r\n" + _SECOND, (200,)),
    HostileRequest(
        "a URL as the target", b"GET http://b/health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", (200,)
    ),
)
