"""Strict HTTP connections: requests that two servers could interpret differently get one 400, and the connection is
closed.
"""

import json
import socket
from collections.abc import Iterator

import h11  # pants: no-infer-dep  (httpx requires it)
import httpx
import pytest
from echo_server import echo_server, exchange, status_codes
from hypothesis import HealthCheck, given, settings
from near_valid import MALFORMED_CHUNKS, POST, SMUGGLED, SMUGGLING, near_valid_chunks


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with echo_server(tmp_path_factory.mktemp("echo") / "log") as port:
        yield port


@pytest.mark.parametrize("sent", SMUGGLING)
def test_a_malformed_head_gets_one_400_as_a_problem_document(port: int, sent: bytes) -> None:
    answer = exchange(port, sent, ends=False)
    assert status_codes(answer) == [400]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"connection: close" in head
    problem = json.loads(body)
    assert (problem["status"], problem["title"]) == (400, "Bad Request")
    assert problem["detail"]


@pytest.mark.parametrize("chunks", MALFORMED_CHUNKS)
def test_a_malformed_chunk_gets_one_400(port: int, chunks: bytes) -> None:
    answer = exchange(port, POST + b"transfer-encoding: chunked\r\n\r\n" + chunks + SMUGGLED, ends=False)
    assert status_codes(answer) == [400]
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
    head = POST + b"Transfer-Encoding: Chunked\r\n\r\n"
    answer = exchange(port, head + chunks + SMUGGLED.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), ends=False)
    assert status_codes(answer) == [200, 200]
    assert answer.split(b"HTTP/1.1 ")[1].endswith(b"\r\n\r\n" + body)


def test_a_body_may_arrive_in_any_parts(port: int) -> None:
    sent = (
        b"\r\n"
        + POST
        + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n4\r\nab\r\n\r\n1\r\nc\r\n0\r\nx: y\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in sent:
            client.sendall(bytes((byte,)))
        answer = b""
        while chunk := client.recv(4096):
            answer += chunk
    assert status_codes(answer) == [200]
    assert answer.endswith(b"ab\r\nc")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=near_valid_chunks)
def test_a_chunked_body_is_rejected_or_equals_that_of_h11(port: int, chunks: bytes) -> None:
    sent = POST + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n" + chunks + b"0\r\n\r\n"
    answer = exchange(port, sent)
    assert len(status_codes(answer)) <= 1
    if status_codes(answer) == [200]:
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
def test_an_http_1_0_client_gets_a_stream_without_chunk_sizes(port: int, head: bytes) -> None:
    answer = exchange(port, head, ends=False)
    fields, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"one two"
    assert b"transfer-encoding" not in fields
    assert b"connection: close" in fields


def test_an_http_1_1_client_gets_a_stream_in_chunks(port: int) -> None:
    response = httpx.get(f"http://127.0.0.1:{port}/stream")
    assert (response.text, response.headers["transfer-encoding"]) == ("one two", "chunked")
    assert httpx.head(f"http://127.0.0.1:{port}/stream").text == ""


def test_an_http_1_0_client_can_keep_its_connection(port: int) -> None:
    one = b"GET /health/live HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"
    assert status_codes(exchange(port, one + b"GET /health/live HTTP/1.0\r\n\r\n", ends=False)) == [200, 200]


def test_a_connection_may_have_several_requests(port: int) -> None:
    echo = POST + b"content-length: 5\r\nConnection: keep-alive, TE\r\n\r\nhello"
    last = SMUGGLED.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    # Some clients send an empty line after a body.
    assert status_codes(exchange(port, echo + echo + b"\r\n" + last, ends=False)) == [200, 200, 200]


@pytest.mark.parametrize("value", [b"\xff", b"\xc3\xa9", b"\xed\xa0\x80"])
def test_a_value_may_contain_any_octets_above_127(port: int, value: bytes) -> None:
    answer = exchange(port, b"GET /header HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-sent: %b\r\n\r\n" % value)
    assert status_codes(answer) == [200]
    assert answer.partition(b"\r\n\r\n")[2].decode() in (value.decode(errors="ignore"), value.decode("latin-1"))


@pytest.mark.parametrize("path", ["/echo", "/health/live", "/nowhere"])
def test_no_response_has_an_alt_svc_header(port: int, path: str) -> None:
    assert "alt-svc" not in httpx.get(f"http://127.0.0.1:{port}{path}").headers


@pytest.mark.parametrize("accept", [b"\xff", b",,,,", b"[::1", b"text/html;q=x", b"text/html"])
@pytest.mark.parametrize("line", [b"GET /nowhere", b"DELETE /echo", b"OPTIONS *"])
def test_an_error_is_a_problem_document_for_any_accept_header(port: int, line: bytes, accept: bytes) -> None:
    sent = b"%b HTTP/1.1\r\nhost: a\r\nconnection: close\r\naccept: %b\r\n\r\n" % (line, accept)
    answer = exchange(port, sent)
    assert status_codes(answer) in ([404], [405])
    assert b"application/problem+json" in answer
    assert (b"allow: " in answer.lower()) is (status_codes(answer) == [405])


def test_a_body_that_no_handler_reads_is_not_logged(port: int) -> None:
    """The fixture checks the log."""
    head = b"GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi"
    assert status_codes(exchange(port, head, ends=False)) == [200]


def test_a_client_that_expects_100_gets_it_and_sends_its_body(port: int) -> None:
    head = POST + b"content-length: 2\r\nexpect: 100-Continue\r\nconnection: close\r\n\r\nhi"
    assert status_codes(exchange(port, head, ends=False)) == [100, 200]
    old = head.replace(b"HTTP/1.1", b"HTTP/1.0")
    assert status_codes(exchange(port, old, ends=False)) == [200]
