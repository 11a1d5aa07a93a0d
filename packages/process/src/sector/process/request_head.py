"""Parser of request heads (RFC 9112).

It accepts what the RFC allows, and rejects what two servers could interpret differently.

A proxy in front of this process may be more lenient. If both disagreed on the end of a request, a client could smuggle
a second request past the proxy.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from sanic.exceptions import BadRequest

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_REQUEST_LINE = rb"%b [\x21\x22\x24-\x7e]++ HTTP/1\.[0-9]" % _TOKEN
_FIELD = rb"%b:[\t\x20-\x7e\x80-\xff]*+" % _TOKEN
_HEAD = re.compile(rb"%b(?:\r\n%b)*+" % (_REQUEST_LINE, _FIELD))
_LINE_1, FIELD_LINE = re.compile(_REQUEST_LINE), re.compile(_FIELD)
_ABSOLUTE = re.compile(r"(?i:https?)://([^/?]+)(.*)")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?", re.ASCII)
_MAX_DIGITS = 18
_SINGLE = {
    "content-length": "Content-Length",
    "transfer-encoding": "Transfer-Encoding",
    "host": "Host",
    "authorization": "Authorization",
    "idempotency-key": "Idempotency-Key",
}
"""Headers that a request may have only once, because servers differ in which of two they use."""
_FRAMING = frozenset({*_SINGLE, "connection", "upgrade", "expect"})
"""The headers that this parser interprets."""
_NEVER_VALID = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?=[^\n])")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?")
"""The line before a chunk: its size, and extensions, which are ignored."""


class MalformedRequest(BadRequest):
    """A request that violates RFC 9112. The text names the rule and does not quote the request."""


class RequestHead(NamedTuple):
    """The head of a request. Names of headers are in lower case, and values have no white space around them.

    `length`: the length of the body in bytes, 0 without a body. None means a chunked body, or no body if `has_body` is
    false.
    """

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    length: int | None
    has_body: bool
    keep_alive: bool
    upgrades_to_websocket: bool
    expect: str


def parse_head(head: bytes) -> RequestHead:
    """Parse a head without the empty line that ends it. Raises MalformedRequest."""
    if _HEAD.fullmatch(head) is None:
        raise MalformedRequest(_fault(head))
    try:
        text = head.decode()
    except UnicodeDecodeError:
        # Octets above 127 have no meaning in HTTP. Latin-1 decodes each of them to a character.
        text = head.decode("latin-1")
    request_line, *lines = text.split("\r\n")
    method, target, protocol = request_line.split(" ")
    # A higher minor version is processed as the highest known one (RFC 9110, section 2.5).
    version = "1.0" if protocol == "HTTP/1.0" else "1.1"
    headers: list[tuple[str, str]] = []
    framing: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        header = name, value = name.lower(), value.strip(" \t")
        if name in _FRAMING:
            if name in framing:
                if name in _SINGLE:
                    raise MalformedRequest(f"it has more than one {_SINGLE[name]} header")
                value = f"{framing[name]},{value}"
            framing[name] = value
            if name == "upgrade" and version == "1.0":
                continue
        headers.append(header)
    host = framing.get("host")
    if host is None:
        if version == "1.1":
            raise MalformedRequest("it has no Host header")
    elif not _is_host(host):
        raise MalformedRequest("the Host header is not a host and a port")
    if target[0] != "/":
        target, authority = _origin_form(method, target)
        if authority not in ("", host):
            headers = [each for each in headers if each[0] != "host"] + [("host", authority)]
    length, has_body = _body(framing, version)
    keep_alive = version == "1.1"
    if (connection := framing.get("connection")) is not None:
        options = {each.strip(" \t").lower() for each in connection.split(",")}
        keep_alive = "close" not in options and (keep_alive or "keep-alive" in options)
    upgrades = version == "1.1" and framing.get("upgrade", "").lower() == "websocket"
    # A client of HTTP/1.0 does not wait for 100 (RFC 9110, section 10.1.1).
    expect = framing.get("expect", "") if version == "1.1" else ""
    return RequestHead(method, target, version, headers, length, has_body, keep_alive, upgrades, expect)


@lru_cache(maxsize=128)
def _is_host(host: str) -> bool:
    return _HOST.fullmatch(host) is not None


def _origin_form(method: str, target: str) -> tuple[str, str]:
    """Return the path and query of a target that is a URL, and its authority, which overrides the Host header (RFC
    9112, section 3.2.2).
    """
    if target == "*" and method == "OPTIONS":
        return target, ""
    url = _ABSOLUTE.fullmatch(target)
    if url is None or not _is_host(url[1]) or url[1].startswith(":"):
        raise MalformedRequest("the request target is neither a path nor an http URL")
    return (url[2] if url[2].startswith("/") else f"/{url[2]}"), url[1]


def _body(framing: dict[str, str], version: str) -> tuple[int | None, bool]:
    """Return the length of the body, or None if it is chunked, and whether there is a body."""
    length, coding = framing.get("content-length"), framing.get("transfer-encoding")
    if coding is not None:
        if length is not None:
            raise MalformedRequest("it has both Content-Length and Transfer-Encoding")
        if version == "1.0":
            raise MalformedRequest("it has a Transfer-Encoding, which HTTP/1.0 does not support")
        if coding.lower() != "chunked":
            raise MalformedRequest("Transfer-Encoding is not exactly: chunked")
        return None, True
    if length is None:
        return 0, False
    if not (length.isascii() and length.isdecimal() and len(length) <= _MAX_DIGITS):
        raise MalformedRequest("Content-Length is not a number")
    return int(length), True


def check_beginning(buffer: bytearray, start: int) -> None:
    """Check the beginning of a head. Raises MalformedRequest as soon as it cannot become a valid head."""
    if _NEVER_VALID.search(buffer, start):
        raise MalformedRequest("its head has a control character, or a line that does not end with CRLF")


def _fault(head: bytes) -> str:
    """Return the rule that a head violates."""
    if _NEVER_VALID.search(head):
        return "its head has a control character, or a line that does not end with CRLF"
    request_line, *fields = head.split(b"\r\n")
    if _LINE_1.fullmatch(request_line) is None:
        return "the request line must be a method, a target and HTTP/1.1, separated by one space"
    for field in fields:
        name, colon, _ = field.partition(b":")
        if field.startswith((b" ", b"\t")):
            return "a header continues on a second line"
        if not colon:
            return "a header has no colon"
        if name.endswith((b" ", b"\t")):
            return "a header has whitespace before its colon"
    return "the name of a header has a character that is not allowed"
