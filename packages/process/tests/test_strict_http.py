"""Connections as RFC 9112 demands: requests that two servers could read differently are answered once, with 400, and closed."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator

import h11  # pants: no-infer-dep  (httpx requires it)
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.processes import environment, free_port
from fixtures.waiting import until

_SMUGGLED = b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n"
_POST = b"POST /echo HTTP/1.1\r\nhost: a\r\n"
_LENGTH = b"content-length: %d\r\n" % len(_SMUGGLED)
_CHUNKS = b"0\r\n\r\n" + _SMUGGLED


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    log = tmp_path_factory.mktemp("echo") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "echo_process", str(port)], env=environment(), stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}/health/live"
    until(lambda: httpx.get(url).is_success, "the server", faults=(httpx.TransportError,))
    yield port
    process.kill()
    process.wait()
    assert "Traceback" not in log.read_text()
    assert all("malformed" in line for line in log.read_text().splitlines())


def exchange(port: int, sent: bytes, *, ends: bool = True) -> bytes:
    """Send, and return all that is answered until the connection is closed. `ends`: close the sending side at once."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(sent)
        if ends:
            client.shutdown(socket.SHUT_WR)
        while chunk := client.recv(65_536):
            answer += chunk
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    "sent",
    [
        _POST + b"Content-Length : %d\r\n\r\n" % len(_SMUGGLED) + _SMUGGLED,
        _POST + b"x: y\nContent-Length: %d\r\n\r\n" % len(_SMUGGLED) + _SMUGGLED,
        _POST + b"Transfer-Encoding : chunked\r\n\r\n" + _CHUNKS,
        _POST + b"Transfer-Encoding: chunked\r\n" + _LENGTH + b"\r\n" + _CHUNKS,
        _POST + b"Transfer-Encoding: xchunked\r\n\r\n" + _CHUNKS,
        _POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + _CHUNKS,
        _POST + b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n" + _CHUNKS,
        _POST + b"content-length: 0\r\n" + _LENGTH + b"\r\n" + _SMUGGLED,
        _POST + b"content-length: 0, 5\r\n\r\n" + _SMUGGLED,
        b"POST /echo HTTP/1.0\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n" + _CHUNKS,
        b"GET / HTTP/1.1\nhost: a\n\n" + _SMUGGLED,
        b"GET /health/live HTTP/1.1\r\n\r\n" + _SMUGGLED,
        b"GET /\x1b HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
def test_a_malformed_head_is_one_400_as_a_problem(port: int, sent: bytes) -> None:
    answer = exchange(port, sent, ends=False)
    assert statuses(answer) == [400]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"connection: close" in head
    problem = json.loads(body)
    assert (problem["status"], problem["title"]) == (400, "Bad Request")
    assert problem["detail"]


@pytest.mark.parametrize(
    "chunks",
    [
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
    ],
)
def test_a_malformed_chunk_is_one_400(port: int, chunks: bytes) -> None:
    answer = exchange(port, _POST + b"transfer-encoding: chunked\r\n\r\n" + chunks + _SMUGGLED, ends=False)
    assert statuses(answer) == [400]
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    ("chunks", "body"),
    [
        (b"0\r\n\r\n", b""),
        (b"a\r\n0123456789\r\n000\r\n\r\n", b"0123456789"),
        (b'1 ; x=y\r\na\r\n1;q="z"\r\nb\r\n0;end\r\n\r\n', b"ab"),
        (b"1\r\na\r\n0\r\nExpires: never\r\nContent-Length: 5\r\n\r\n", b"a"),
    ],
)
def test_a_chunked_body_may_have_extensions_and_trailers(port: int, chunks: bytes, body: bytes) -> None:
    head = _POST + b"Transfer-Encoding: Chunked\r\n\r\n"
    answer = exchange(
        port, head + chunks + _SMUGGLED.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), ends=False
    )
    assert statuses(answer) == [200, 200]
    assert answer.split(b"HTTP/1.1 ")[1].endswith(b"\r\n\r\n" + body)


def test_a_body_may_arrive_in_any_pieces(port: int) -> None:
    sent = (
        b"\r\n"
        + _POST
        + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n4\r\nab\r\n\r\n1\r\nc\r\n0\r\nx: y\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in sent:
            client.sendall(bytes((byte,)))
        answer = b""
        while chunk := client.recv(4096):
            answer += chunk
    assert statuses(answer) == [200]
    assert answer.endswith(b"ab\r\nc")


_SIZES = st.sampled_from((b"0", b"1", b"01", b"2", b"A", b"0x1", b" 1", b"1 ", b"-0", b"", b"1;x", b"g"))
_BODIES = st.sampled_from((b"", b"a", b"ab", b"0123456789", b"\r\n", b"0\r\n\r\n"))
_ENDS = st.sampled_from((b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"", b"\r\n\r\n"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.tuples(_SIZES, _ENDS, _BODIES, _ENDS), max_size=4).map(lambda each: b"".join(sum(each, ()))))
def test_a_chunked_body_is_refused_or_read_as_h11_reads_it(port: int, chunks: bytes) -> None:
    sent = _POST + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n" + chunks + b"0\r\n\r\n"
    answer = exchange(port, sent)
    assert len(statuses(answer)) <= 1
    if statuses(answer) == [200]:
        assert answer.partition(b"\r\n\r\n")[2] == _body_by_h11(sent)


def _body_by_h11(sent: bytes) -> bytes:
    by_h11 = h11.Connection(h11.SERVER)
    by_h11.receive_data(sent)
    body = b""
    while not isinstance(event := by_h11.next_event(), h11.EndOfMessage):
        assert not isinstance(event, type(h11.NEED_DATA)), "h11 waits for more"
        body += bytes(event.data) if isinstance(event, h11.Data) else b""
    return body


@pytest.mark.parametrize(
    "head", [b"GET /stream HTTP/1.0\r\n\r\n", b"GET /stream HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"]
)
def test_a_client_of_1_0_is_sent_a_stream_without_chunk_sizes(port: int, head: bytes) -> None:
    answer = exchange(port, head, ends=False)
    fields, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"one two"
    assert b"transfer-encoding" not in fields
    assert b"connection: close" in fields


def test_a_client_of_1_1_is_sent_a_stream_in_chunks(port: int) -> None:
    response = httpx.get(f"http://127.0.0.1:{port}/stream")
    assert (response.text, response.headers["transfer-encoding"]) == ("one two", "chunked")
    assert httpx.head(f"http://127.0.0.1:{port}/stream").text == ""


def test_a_client_of_1_0_can_keep_its_connection(port: int) -> None:
    one = b"GET /health/live HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"
    assert statuses(exchange(port, one + b"GET /health/live HTTP/1.0\r\n\r\n", ends=False)) == [200, 200]


def test_requests_follow_one_another_on_a_connection(port: int) -> None:
    echo = _POST + b"content-length: 5\r\nConnection: keep-alive, TE\r\n\r\nhello"
    last = _SMUGGLED.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    # Some clients send an empty line after a body.
    assert statuses(exchange(port, echo + echo + b"\r\n" + last, ends=False)) == [200, 200, 200]


@pytest.mark.parametrize("value", [b"\xff", b"\xc3\xa9", b"\xed\xa0\x80"])
def test_a_value_may_have_any_octets_above_127(port: int, value: bytes) -> None:
    answer = exchange(port, b"GET /header HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-sent: %b\r\n\r\n" % value)
    assert statuses(answer) == [200]
    assert answer.partition(b"\r\n\r\n")[2].decode() in (value.decode(errors="ignore"), value.decode("latin-1"))


@pytest.mark.parametrize("path", ["/echo", "/health/live", "/nowhere"])
def test_no_response_has_an_alt_svc_header(port: int, path: str) -> None:
    assert "alt-svc" not in httpx.get(f"http://127.0.0.1:{port}{path}").headers


@pytest.mark.parametrize("accept", [b"\xff", b",,,,", b"[::1", b"text/html;q=x", b"text/html"])
@pytest.mark.parametrize("line", [b"GET /nowhere", b"DELETE /echo", b"OPTIONS *"])
def test_an_error_is_a_problem_whatever_is_accepted(port: int, line: bytes, accept: bytes) -> None:
    sent = b"%b HTTP/1.1\r\nhost: a\r\nconnection: close\r\naccept: %b\r\n\r\n" % (line, accept)
    answer = exchange(port, sent)
    assert statuses(answer) in ([404], [405])
    assert b"application/problem+json" in answer
    assert (b"allow: " in answer.lower()) is (statuses(answer) == [405])


def test_a_body_that_nothing_reads_is_not_logged(port: int) -> None:
    """The fixture looks at the log."""
    head = b"GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi"
    assert statuses(exchange(port, head, ends=False)) == [200]


def test_a_body_that_was_asked_to_wait_is_told_to_go_on(port: int) -> None:
    head = _POST + b"content-length: 2\r\nexpect: 100-Continue\r\nconnection: close\r\n\r\nhi"
    assert statuses(exchange(port, head, ends=False)) == [100, 200]
    old = head.replace(b"HTTP/1.1", b"HTTP/1.0")
    assert statuses(exchange(port, old, ends=False)) == [200]
