"""Requests that are valid or nearly valid, and patterns that smuggle a second request past servers that interpret them
differently.
"""

from hypothesis import strategies as st

SMUGGLED = b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nhost: a\r\n"
_LENGTH = b"content-length: %d\r\n" % len(SMUGGLED)
_CHUNKS = b"0\r\n\r\n" + SMUGGLED

SMUGGLING = (
    POST + b"Content-Length : %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
    POST + b"x: y\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
    POST + b"Transfer-Encoding : chunked\r\n\r\n" + _CHUNKS,
    POST + b"Transfer-Encoding: chunked\r\n" + _LENGTH + b"\r\n" + _CHUNKS,
    POST + b"Transfer-Encoding: xchunked\r\n\r\n" + _CHUNKS,
    POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + _CHUNKS,
    POST + b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n" + _CHUNKS,
    POST + b"content-length: 0\r\n" + _LENGTH + b"\r\n" + SMUGGLED,
    POST + b"content-length: 0, 5\r\n\r\n" + SMUGGLED,
    b"POST /echo HTTP/1.0\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n" + _CHUNKS,
    b"GET / HTTP/1.1\nhost: a\n\n" + SMUGGLED,
    b"GET /health/live HTTP/1.1\r\n\r\n" + SMUGGLED,
    b"GET /\x1b HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
)
"""Each must get exactly one 400."""
MALFORMED_CHUNKS = (
    b"0x0\r\n\r\n",
    b" 0\r\n\r\n",
    b"+0\r\n\r\n",
    b"0_0\r\n\r\n",
    b"0 \r\n\r\n",
    b"-1\r\n\r\n",
    b"\r\n\r\n",
    b"0\n\n",
    b"0;x\n\r\n\r\n",
    b"\xd9\xa0\r\n\r\n",
    b"1\r\nab\r\n0\r\n\r\n",
    b"1\r\na\n0\r\n\r\n",
    b"1\r\na0\r\n\r\n",
    b"00000000000000001\r\na\r\n0\r\n\r\n",
    b"1;" + b"x" * 300 + b"\r\na\r\n0\r\n\r\n",
    b"0\r\nx : y\r\n\r\n",
    b"0\r\nx\r\n\r\n",
    b"0\r\n x: y\r\n\r\n",
    b"0\r\nx: y\n\r\n\r\n",
    b"0\r\n" + b"x: y\r\n" * 2_000 + b"\r\n",
)

_NAMES = (b"Content-Length", b"Transfer-Encoding", b"Host", b"x", b"Content_Length", b"Connection", b"Expect")
_VALUES = (b"5", b"05", b"chunked", b"Chunked", b"identity", b"a", b"a:1", b"5, 5", b"", b"close", b"\xff", b"\xc2\x85")
_BEFORE_COLON = (b"", b"", b"", b"", b" ", b"\t", b"\x0b", b"\r")
_AFTER_COLON = (b" ", b" ", b"", b"\t ", b"\x0c", b"\r\n ", b"\xa0")
_ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\x00\r\n", b"\x85", b" \r\n")
_LINES = (
    *(b"POST / HTTP/1.1", b"POST / HTTP/1.1", b"GET /read/x?y HTTP/1.1", b"POST / HTTP/1.0", b"POST  / HTTP/1.1"),
    *(b"POST /\t HTTP/1.1", b"POST http://a/ HTTP/1.1", b"POST /\x1b HTTP/1.1", b"post / HTTP/1.1", b"P / HTTP/0.9"),
)
_SIZES = st.sampled_from((b"0", b"1", b"01", b"2", b"A", b"0x1", b" 1", b"1 ", b"-0", b"", b"1;x", b"g"))
_BODIES = st.sampled_from((b"", b"a", b"ab", b"0123456789", b"\r\n", b"0\r\n\r\n"))
_CHUNK_ENDS = st.sampled_from((b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"", b"\r\n\r\n"))

near_valid_chunks = st.lists(st.tuples(_SIZES, _CHUNK_ENDS, _BODIES, _CHUNK_ENDS), max_size=4).map(
    lambda each: b"".join(sum(each, ()))
)
"""Parts of a chunked body that are valid or nearly valid."""


@st.composite
def near_valid_heads(draw: st.DrawFn) -> bytes:
    """Draw heads that are valid or nearly valid, without the empty line that ends them."""
    parts = [draw(st.sampled_from(_LINES)), draw(st.sampled_from(_ENDS))]
    for _ in range(draw(st.integers(0, 4))):
        parts += (
            draw(st.sampled_from(alternatives))
            for alternatives in (_NAMES, _BEFORE_COLON, (b":",), _AFTER_COLON, _VALUES, _ENDS)
        )
    if draw(st.booleans()):
        parts.append(b"Host: a\r\n")
    head = bytearray(b"".join(parts))
    if draw(st.booleans()):
        head.insert(draw(st.integers(0, len(head))), draw(st.integers(0, 255)))
    return bytes(head).removesuffix(b"\r\n")


_TARGETS = (
    *(b"/echo", b"/", b"/read/x?y", b"http://a/read/z", b"/read/%41?%zz", b"/read/a%2fb", b"http://b", b"/read/./x"),
    *(b"/read/'x", b"/read/x;y=[z]|{}^`<>", b"/read/\\x", b"/read/?"),
)
_HOSTS = (b"a", b"a", b"a", b"A.:80", b"[::1]:8080", b"a_b", b"a%41", b"a:", b"a,b", b"~", b"1.2.3.4")
_FIELDS = (
    *(b"Content-Length:5", b"Content-Length: 005", b"Transfer-Encoding: Chunked", b"transfer-encoding:chunked "),
    *(b"x: \xff", b"y:", b"x-y: a:b", b"Connection: TE", b"Connection: close", b"connection: x, keep-alive"),
    *(b"content_length: 7", b"x.y!: z", b"Expect: 100-continue", b"Upgrade: h2c", b"TE: trailers", b"~: 1"),
)


@st.composite
def valid_heads(draw: st.DrawFn) -> bytes:
    """Draw heads that follow the RFC, without the empty line that ends them. Some announce a body that does not follow."""
    versions = (b"1.1", b"1.1", b"1.1", b"1.0", b"1.2")
    parts = (draw(st.sampled_from(each)) for each in ((b"POST", b"GET", b"PUT"), _TARGETS, versions))
    fields = draw(st.lists(st.sampled_from(_FIELDS), max_size=3, unique=True))
    fields.append(b"Host: " + draw(st.sampled_from(_HOSTS)))
    return b"\r\n".join((b"%b %b HTTP/%b" % tuple(parts), *draw(st.permutations(fields))))
