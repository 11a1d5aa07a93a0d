"""Requests that violate RFC 9112, or nearly so, or that no service can answer, and what each service answers. A new case is one line."""

from collections.abc import Sequence
from dataclasses import dataclass

_LIVE = b"GET /health/live HTTP/1.1\r\nhost: a\r\n"
_SECOND = _LIVE + b"\r\n"
_LAST = _LIVE + b"connection: close\r\n\r\n"
_POST = b"POST /health/live HTTP/1.1\r\nhost: a\r\n"
_END = b"host: a\r\nconnection: close\r\n\r\n"
_UPGRADE = b"upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
_LENGTH = b"%d" % len(_SECOND)


_WS = b"GET /ws/?EIO=4&transport=polling HTTP/1.1\r\n" + _END
_SOCKET = _WS.replace(b"polling", b"websocket").replace(_END, _UPGRADE + _END).replace(b"close", b"upgrade, close")
_LARGE_CHUNK = b"transfer-encoding: chunked\r\n" + _END + b"ffffffff\r\nsecret"
SERVICES = ("api", "viz", "worker", "bot")


@dataclass(frozen=True)
class HostileRequest:
    """Bytes that are sent, the statuses of all responses until the connection is closed, and the services that answer so."""

    name: str
    sent: bytes
    statuses: Sequence[int] = (400,)
    services: Sequence[str] = SERVICES


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
    HostileRequest("two tokens", _LIVE + b"authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n"),
    HostileRequest("two idempotency keys", _LIVE + b"idempotency-key: a\r\nidempotency-key: b\r\n\r\n"),
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
    HostileRequest("a path that is not there", b"GET /secret/path HTTP/1.1\r\n" + _END, (404,)),
    HostileRequest("an escaped path", b"GET /secret%0a%1b%5b2J%ff HTTP/1.1\r\n" + _END, (404,)),
    HostileRequest("a path with a script", b"GET /<script>secret()</script> HTTP/1.1\r\n" + _END, (404,)),
    HostileRequest("a path with an invalid escape", b"GET /secret%zz%u0041 HTTP/1.1\r\n" + _END, (404,)),
    HostileRequest("a path with dots", b"GET /health/../secret HTTP/1.1\r\n" + _END, (404,)),
    HostileRequest("another HTML page, please", b"GET /secret HTTP/1.1\r\naccept: text/html\r\n" + _END, (404,)),
    HostileRequest("a malformed Accept", b"GET /secret HTTP/1.1\r\naccept: text/html;q=secret\r\n" + _END, (404,)),
    HostileRequest("a WebSocket where there is none", b"GET /secret HTTP/1.1\r\n" + _UPGRADE + _END, (404,)),
    HostileRequest("a method that the path has not", b"DELETE /health/live HTTP/1.1\r\n" + _END, (405,)),
    HostileRequest("an unknown method", b"SECRET /health/live HTTP/1.1\r\n" + _END, (405,)),
    HostileRequest("a method for tunnels", b"CONNECT /health/live HTTP/1.1\r\n" + _END, (405,)),
    HostileRequest(
        "an unknown expectation",
        b"GET /health/live HTTP/1.1\r\nexpect: secret\r\ncontent-length: 2\r\n" + _END + b"{}",
        (417,),
    ),
    HostileRequest("a long target", b"GET /%b HTTP/1.1\r\n" % (b"secret" * 9_000) + _END, (431,)),
    HostileRequest("a long header", b"GET / HTTP/1.1\r\nx: %b\r\n" % (b"secret" * 9_000) + _END, (431,)),
    HostileRequest("many headers", b"GET / HTTP/1.1\r\n%b" % (b"x: secret\r\n" * 9_000) + _END, (431,)),
    HostileRequest("all of the server", b"OPTIONS * HTTP/1.1\r\n" + _END, (404,), ("api", "worker", "bot")),
    HostileRequest("all of the viz", b"OPTIONS * HTTP/1.1\r\n" + _END, (405,), ("viz",)),
    HostileRequest("large orders", b"POST /orders HTTP/1.1\r\ncontent-length: 9999999\r\n" + _END, (413,), ("api",)),
    HostileRequest("a large chunk of orders", b"POST /orders HTTP/1.1\r\n" + _LARGE_CHUNK, (413,), ("api",)),
    HostileRequest("a large chunk of a sim", b"POST /sims HTTP/1.1\r\n" + _LARGE_CHUNK, (413,), ("api",)),
    HostileRequest("a large message", _WS.replace(b"GET", b"POST").replace(_END, _LARGE_CHUNK), (413,), ("viz",)),
    HostileRequest("a page of another version", b"GET /static/0/main.js HTTP/1.1\r\n" + _END, (404,), ("viz",)),
    HostileRequest("a transport that is off", _WS, (400,), ("viz",)),
    HostileRequest("an unknown transport", _WS.replace(b"polling", b"secret"), (400,), ("viz",)),
    HostileRequest("an unknown session", _WS.replace(b"polling", b"websocket&sid=secret"), (400,), ("viz",)),
    HostileRequest("another protocol", _WS.replace(b"EIO=4", b"EIO=secret"), (400,), ("viz",)),
    HostileRequest("an index of JSONP", _WS.replace(b"EIO=4", b"EIO=4&j=secret"), (400,), ("viz",)),
    HostileRequest("a message without a session", _WS.replace(b"GET", b"POST"), (400,), ("viz",)),
    HostileRequest("a method that Socket.IO has not", _WS.replace(b"GET", b"PUT"), (405,), ("viz",)),
    HostileRequest("an upgrade by polling", _WS.replace(_END, _UPGRADE + _END), (400,), ("viz",)),
    HostileRequest("a WebSocket without Upgrade", _WS.replace(b"polling", b"websocket"), (400,), ("viz",)),
    HostileRequest("an upgrade without Connection", _SOCKET.replace(b"upgrade, close", b"close"), (400,), ("viz",)),
    HostileRequest("a WebSocket of another version", _SOCKET.replace(b": 13", b": 99"), (400,), ("viz",)),
    HostileRequest("a WebSocket with a short key", _SOCKET.replace(b"AAAA", b""), (400,), ("viz",)),
    HostileRequest(
        "a WebSocket of another origin", _SOCKET.replace(b"host: a", b"host: a\r\norigin: http://b"), (400,), ("viz",)
    ),
)
