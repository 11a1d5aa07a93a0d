"""Request heads: strict and lenient parsers interpret accepted heads in the same way, and all other heads are rejected."""

import re

import h11  # pants: no-infer-dep  (httpx requires it)
import pytest
from hypothesis import given, settings
from near_valid import near_valid_heads

from sector.process.request_head import MalformedRequest, parse_head

_GET = b"GET / HTTP/1.1\r\nhost: a"
_POST = b"POST /orders HTTP/1.1\r\nhost: a"


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (_POST + b"\r\nContent-Length : 5", "whitespace before its colon"),
        (_POST + b"\r\nTransfer-Encoding : chunked", "whitespace before its colon"),
        (_POST + b"\r\nTransfer-Encoding\t: chunked", "whitespace before its colon"),
        (_POST + b"\r\nx: y\nContent-Length: 5", "does not end with CRLF"),
        (_POST + b"\r\nx: y\rContent-Length: 5", "does not end with CRLF"),
        (_POST + b"\r\nx: y\x00", "control character"),
        (_POST + b"\r\nx: \x1b[2J", "control character"),
        (_POST + b"\r\nx: y\r\n\tz: folded", "continues on a second line"),
        (_POST + b"\r\n Content-Length: 5", "continues on a second line"),
        (_POST + b"\r\nContent-Length", "no colon"),
        (_POST + b"\r\n: 5", "name of a header"),
        (_POST + b"\r\nContent\xa0Length: 5", "name of a header"),
        (_POST + b"\r\nContent Length: 5", "name of a header"),
        (_POST + b"\r\n\xef\xbb\xbfContent-Length: 5", "name of a header"),
        (_POST + b"\r\n", "no colon"),
        (_POST + b"\r\nContent-Length: 5\r\nContent-Length: 5", "more than one Content-Length"),
        (_POST + b"\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", "both Content-Length and Transfer-Encoding"),
        (_POST + b"\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "more than one Transfer-Encoding"),
        *(
            (_POST + b"\r\nTransfer-Encoding: " + coding, "not exactly: chunked")
            for coding in (
                b"identity",
                b"gzip, chunked",
                b"xchunked",
                b"chunked, identity",
                b"chunked;q=1",
                b"",
            )
        ),
        *(
            (_POST + b"\r\nContent-Length: " + length, "not a number")
            for length in (b"", b"+5", b"-5", b"5, 5", b"5 5", b"0x5", b"5_0", b"\xd9\xa5", b"\xef\xbc\x95", b"9" * 19)
        ),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked", "HTTP/1.0 does not support"),
        (b"GET / HTTP/1.1", "no Host"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nHost: a", "more than one Host"),
        (_GET + b"\r\nAuthorization: Bearer a\r\nauthorization: Bearer b", "more than one Authorization"),
        (_POST + b"\r\nidempotency-key: a\r\nIdempotency-Key: a", "more than one Idempotency-Key"),
        *(
            (b"GET / HTTP/1.1\r\nhost: " + host, "not a host and a port")
            for host in (b"a b", b"a/b", b"u@a", b"a:b", b"[::1", b"a\xff", b"a#", b"a?x", b"\xd9\xa5", b"a:\xd9\xa5")
        ),
        *(
            (line + b"\r\nhost: a", "the request line")
            for line in (
                b"GET  / HTTP/1.1",
                b"GET /  HTTP/1.1",
                b" GET / HTTP/1.1",
                b"GET /a b HTTP/1.1",
                b"GET / HTTP/1.1 ",
                b"GET / http/1.1",
                b"GET / HTTP/2.0",
                b"GET / HTTP/1.10",
                b"GET /",
                b"GET /#x HTTP/1.1",
                b"GET /\xff HTTP/1.1",
                b"G(T / HTTP/1.1",
                b"",
            )
        ),
        *(
            (b"GET %b HTTP/1.1\r\nhost: a" % target, "request target")
            for target in (b"a", b"*", b"a:1", b"ftp://a/", b"http:///x", b"http://u@a/", b"http://:80/", b"http://[/")
        ),
    ],
)
def test_a_violation_of_the_rfc_is_rejected_with_its_rule(head: bytes, reason: str) -> None:
    with pytest.raises(MalformedRequest, match=reason):
        parse_head(head)


def test_white_space_around_a_value_is_ignored() -> None:
    head = parse_head(_GET + b"\r\nIdempotency-Key: \t k1 \t\r\nX: \xc2\xa0y\xc2\x85")
    assert head.headers == [("host", "a"), ("idempotency-key", "k1"), ("x", "\xa0y\x85")]


@pytest.mark.parametrize("coding", [b"Chunked", b"CHUNKED", b" chunked "])
def test_the_name_of_a_transfer_coding_ignores_case(coding: bytes) -> None:
    head = parse_head(_POST + b"\r\nTransfer-Encoding: " + coding)
    assert (head.length, head.has_body) == (None, True)


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        (b"http://other:80/x?y", "/x?y", "other:80"),
        (b"HTTP://other", "/", "other"),
        (b"https://[::1]?y", "/?y", "[::1]"),
        (b"/x", "/x", "a"),
        (b"//x/y", "//x/y", "a"),
    ],
)
def test_the_host_in_the_target_overrides_the_header(target: bytes, path: str, host: str) -> None:
    head = parse_head(b"GET %b HTTP/1.1\r\nhost: a" % target)
    assert (head.target, dict(head.headers)["host"]) == (path, host)


@pytest.mark.parametrize(
    ("version", "connection", "keep_alive"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"close", False),
        (b"1.1", b"x, Close", False),
        (b"1.1", b"keep-alive, te", True),
        (b"1.1", b"keep-alive, close", False),
        (b"1.2", b"x", True),
        (b"1.0", b"", False),
        (b"1.0", b"Keep-Alive", True),
        (b"1.0", b"keep-alive, close", False),
    ],
)
def test_the_options_of_a_connection_are_a_list(version: bytes, connection: bytes, keep_alive: bool) -> None:
    head = parse_head(b"GET / HTTP/%b\r\nhost: a\r\nconnection: %b" % (version, connection))
    assert head.keep_alive is keep_alive


def test_an_http_1_0_client_can_neither_upgrade_nor_wait_for_100() -> None:
    head = parse_head(b"GET / HTTP/1.0\r\nupgrade: websocket\r\nexpect: 100-continue\r\ncontent-length: 1")
    assert (head.upgrades_to_websocket, head.expect, "upgrade" in dict(head.headers)) == (False, "", False)
    head = parse_head(_GET + b"\r\nupgrade: WebSocket\r\nexpect: 100-continue\r\ncontent-length: 1")
    assert (head.upgrades_to_websocket, head.expect) == (True, "100-continue")


@settings(max_examples=500, deadline=None)
@given(near_valid_heads())
def test_other_parsers_interpret_accepted_heads_in_the_same_way(head: bytes) -> None:
    if b"\r\n\r\n" in head:
        return
    try:
        parsed = parse_head(head)
    except MalformedRequest:
        return
    assert (parsed.length, parsed.has_body) == _read_leniently(head)
    if b" HTTP/1.0" in head or b" HTTP/1.1" in head:
        by_h11 = h11.Connection(h11.SERVER)
        by_h11.receive_data(head + b"\r\n\r\n")
        request = by_h11.next_event()
        assert isinstance(request, h11.Request)
        assert request.method.decode() == parsed.method
        framing = [
            (name, value) for name, value in request.headers if name in (b"content-length", b"transfer-encoding")
        ]
        assert framing == [
            (name.encode(), value.lower().encode()) for name, value in parsed.headers if name.encode() in dict(framing)
        ]


def _read_leniently(head: bytes) -> tuple[int | None, bool]:
    """Return the framing of the body in the interpretation of a server that accepts any line end and white space
    anywhere.
    """
    fields = [line.partition(b":") for line in re.split(rb"[\r\n\x0b\x0c\x85]+", head)[1:]]
    headers = {name.strip().lower().replace(b"_", b"-"): value.strip().lower() for name, _, value in fields}
    names = [name.strip().lower() for name, _, _ in fields]
    if names.count(b"content-length") > 1:
        raise AssertionError("two readings of the length are possible")
    if b"chunked" in headers.get(b"transfer-encoding", b""):
        return None, True
    length = headers.get(b"content-length") if b"content-length" in names else None
    return (0, False) if length is None else (int(length), True)
