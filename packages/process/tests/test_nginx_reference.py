"""Comparison with nginx: requests that nginx rejects are rejected here too, and accepted ones are forwarded as the same
requests.
"""

import contextlib
import re
import socketserver
import threading
from collections.abc import Iterator
from typing import NamedTuple

import h11  # pants: no-infer-dep  (httpx requires it)
import pytest
from echo_server import echo_server, exchange
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from near_valid import MALFORMED_CHUNKS, POST, SMUGGLED, SMUGGLING, near_valid_chunks, near_valid_heads, valid_heads

from fixtures.long import max_examples
from fixtures.nginx import Nginx, require_nginx
from fixtures.processes import free_port

_SERVER = """
  # Clients of the test end their side at once.
  proxy_ignore_client_abort on;
  keepalive_timeout 5s; client_header_timeout 5s; client_body_timeout 5s; lingering_close off;
  server {{
    listen 127.0.0.1:{port}; server_name test;
    location / {{
      proxy_pass http://127.0.0.1:{backend}; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Host $host;
    }}
  }}
"""
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Request(NamedTuple):
    """A request in the interpretation of a server."""

    method: str
    target: str
    body: bytes


class Recorder(socketserver.ThreadingTCPServer):
    """Responds to each complete request with 200 and records it. nginx opens a connection for each request."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.requests: list[Request] = []
        self.raw: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Connection(socketserver.BaseRequestHandler):
    server: Recorder

    def handle(self) -> None:
        with contextlib.suppress(h11.RemoteProtocolError):
            # nginx closes its connection if the client did not send the whole body.
            self._handle()

    def _handle(self) -> None:
        by_h11, head, body, raw = h11.Connection(h11.SERVER), None, b"", b""
        while not isinstance(event := by_h11.next_event(), h11.EndOfMessage):
            match event:
                case h11.Request():
                    head = event
                case h11.Data():
                    body += bytes(event.data)
                case h11.ConnectionClosed():
                    return
                case _:
                    raw += (received := self.request.recv(65_536))
                    by_h11.receive_data(received)
        assert head is not None
        self.server.raw.append(raw)
        self.server.requests.append(Request(head.method.decode(), head.target.decode(), body))
        self.request.sendall(_ANSWER)


class Servers:
    """nginx in front of a recorder, and our server."""

    def __init__(self, nginx: Nginx, recorder: Recorder, ours: int) -> None:
        self._nginx, self._recorder, self.ours = nginx, recorder, ours

    def by_nginx(self, sent: bytes) -> tuple[list[int], list[Request]]:
        self._recorder.requests.clear()
        self._recorder.raw.clear()
        return [status for status, _ in answers(exchange(self._nginx.port, sent))], list(self._recorder.requests)

    def forwarded_bytes(self, sent: bytes) -> list[bytes]:
        """Return what nginx forwards for these bytes, with the raw bytes of each request."""
        self.by_nginx(sent)
        return list(self._recorder.raw)

    def by_ours(self, sent: bytes) -> tuple[list[int], list[Request]]:
        statuses, requests = [], []
        for status, part in answers(exchange(self.ours, sent)):
            statuses.append(status)
            head, _, body = part.partition(b"\r\n\r\n")
            if status == OK:
                (read,) = (line[len(b"x-read: ") :] for line in head.split(b"\r\n") if line.startswith(b"x-read: "))
                method, target = read.decode().split(" ")
                requests.append(Request(method, target, b"" if target.startswith("/health") else body))
        return statuses, requests


OK = 200


def answers(answer: bytes) -> list[tuple[int, bytes]]:
    """Return the statuses and the texts of responses, without interim responses."""
    return [(int(part[:3]), part) for part in answer.split(b"HTTP/1.1 ")[1:] if not part.startswith(b"100")]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    program, folder = require_nginx(), tmp_path_factory.mktemp("nginx")
    for each in (folder, *list(folder.parents)[:3]):
        each.chmod(0o755)
    nginx = Nginx(program, free_port(), folder)
    with Recorder() as recorder, echo_server(folder / "log") as ours:
        threading.Thread(target=recorder.serve_forever, daemon=True).start()
        nginx.open(_SERVER.format(port=nginx.port, backend=recorder.port))
        yield Servers(nginx, recorder, ours)
        nginx.close()
        recorder.shutdown()


def assert_alike(servers: Servers, sent: bytes) -> None:
    """nginx must forward what our server accepts as the same requests. One more or one less would be smuggled."""
    _, forwarded = servers.by_nginx(sent)
    statuses, accepted = servers.by_ours(sent)
    if set(statuses) <= {OK}:
        assert forwarded == accepted
    else:
        # Requests after a rejected one, or after one without a route, are not read.
        accepted = accepted[: next(place for place, status in enumerate(statuses) if status != OK)]
        assert forwarded[: len(accepted)] == accepted


_BODIES = st.sampled_from(
    (
        *(b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"0\r\n\r\n", SMUGGLED, b"hello" + SMUGGLED),
        *(b"0\r\n\r\n" + SMUGGLED, b"2;x=y\r\nab\r\n0\r\nx: y\r\n\r\n" + SMUGGLED),
    )
)
_TAB = re.compile(rb":[\t ]*\t|\t[\t ]*(?:\r\n|$)")
_INVALID_ESCAPE = re.compile(rb"^\S+ [^ ?]*%(?![0-9A-Fa-f]{2})")

_CLOSE_THEN_KEEP_ALIVE = re.compile(
    rb"\nconnection:[^\n]*close[^\n]*\n(?:.*\n)?connection:[^\n]*keep-alive", re.I | re.S
)


@settings(max_examples=max_examples(1_600), deadline=None)
@given(head=near_valid_heads() | valid_heads(), body=_BODIES | near_valid_chunks.map(lambda body: body + b"0\r\n\r\n"))
def test_accepted_requests_are_forwarded_as_the_same_requests(servers: Servers, head: bytes, body: bytes) -> None:
    # These four are in the tests of differences.
    assume(_CLOSE_THEN_KEEP_ALIVE.search(head) is None)
    assume(_INVALID_ESCAPE.match(head) is None)
    assume(_TAB.search(head) is None)
    assume(head.lower().count(b"expect") <= 1)
    assert_alike(servers, head + b"\r\n\r\n" + body)


_CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
_TWO = POST + b"content-length: 5\r\n\r\nhello" + SMUGGLED
_TWO_TOKENS = POST + b"authorization: Bearer x\r\nauthorization: Bearer y\r\n\r\n"


@pytest.mark.parametrize(
    "sent", [*SMUGGLING, *(_CHUNKED + chunks + SMUGGLED for chunks in MALFORMED_CHUNKS), _TWO, _TWO_TOKENS]
)
def test_a_known_pattern_smuggles_no_request(servers: Servers, sent: bytes) -> None:
    assert_alike(servers, sent)


@pytest.mark.parametrize(
    "sent", [*SMUGGLING, *(_CHUNKED + chunks + SMUGGLED for chunks in MALFORMED_CHUNKS), _TWO, _TWO_TOKENS]
)
def test_what_nginx_forwards_is_the_same_number_of_requests_here(servers: Servers, sent: bytes) -> None:
    for raw in servers.forwarded_bytes(sent):
        assert len(answers(exchange(servers.ours, raw))) == 1


_GET = b"GET /read/x HTTP/1.1\r\nhost: a\r\n"
REFUSED_BY_NGINX = (
    (b"get /read/x HTTP/1.1\r\nhost: a\r\n\r\n", "RFC 9110, 9.1: a method is any token; an unknown one is 405"),
    (b"M!X /read/x HTTP/1.1\r\nhost: a\r\n\r\n", "RFC 9110, 9.1"),
    (b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", "RFC 9112, 3.2.4: the form for the server as a whole"),
    (b"GET /read/x HTTP/1.1\r\nhost: \r\n\r\n", "RFC 9112, 3.2: Host is empty where a URL has no authority"),
    (b"GET /read/x HTTP/1.1\r\nhost: a..b\r\n\r\n", "RFC 3986, 3.2.2: a name that DNS does not know is one"),
    (b"GET /read/%zz HTTP/1.1\r\nhost: a\r\n\r\n", "RFC 9112, 3.2: what a path means is up to the resource"),
    (b"GET /read/%00 HTTP/1.1\r\nhost: a\r\n\r\n", "RFC 9112, 3.2"),
    (b"GET /../read HTTP/1.1\r\nhost: a\r\n\r\n", "RFC 9112, 3.2: nothing here is a file; it is 404"),
    (POST + b"transfer-encoding:\tchunked\r\n\r\n0\r\n\r\n", "RFC 9110, 5.6.3: a tab is whitespace, too"),
    (_GET + b"if-none-match: x\r\nif-none-match: y\r\n\r\n", "RFC 9110, 13.1.2: a list may be two lines"),
    (_GET + b"if-modified-since: x\r\nif-modified-since: y\r\n\r\n", "RFC 9110, 5.3: no server here reads it"),
    (_GET + b"expect: x\r\nexpect: x\r\n\r\n", "RFC 9110, 10.1.1: a list may be two lines, and concerns a body"),
)
"""What nginx rejects and our server accepts, with the reason."""

REFUSED_HERE = (
    (b"GET /read/x HTTP/1.1\nhost: a\n\n", "RFC 9112, 2.2: a line may end with LF; a proxy may read on to CRLF"),
    (_GET + b"x: y\nz: 1\r\n\r\n", "RFC 9112, 2.2"),
    (_GET + b"x: \x1b\r\n\r\n", "RFC 9110, 5.5: control characters are invalid"),
    (b"GET  /read/x HTTP/1.1\r\nhost: a\r\n\r\n", "RFC 9112, 3: one space"),
    (b"GET /read/x#y HTTP/1.1\r\nhost: a\r\n\r\n", "RFC 9112, 3.2: a target has no fragment"),
    (_GET + b"idempotency-key: x\r\nidempotency-key: y\r\n\r\n", "RFC 9110, 5.3: only one of them could count"),
    (_CHUNKED + b"0 \r\n\r\n", "RFC 9112, 7.1.1: whitespace stands before an extension only"),
    (_CHUNKED + b"0;x\n\r\n\r\n", "RFC 9112, 7.1: the line of a chunk ends with CRLF"),
    (_CHUNKED + b"1\r\na\n0\r\n\r\n", "RFC 9112, 7.1"),
    (_CHUNKED + b"0\r\nx : y\r\n\r\n", "RFC 9112, 7.1.2: trailers are fields"),
    (_CHUNKED + b"00000000000000001\r\na\r\n0\r\n\r\n", "RFC 9112, 7.1: an endless number is an attack"),
)
"""What nginx accepts and our server rejects, with the reason."""


@pytest.mark.parametrize(("sent", "reason"), REFUSED_BY_NGINX)
def test_a_request_that_only_nginx_rejects(servers: Servers, sent: bytes, reason: str) -> None:
    assert servers.by_nginx(sent)[1] == [], reason
    assert servers.by_ours(sent)[0][0] in (OK, 404, 405), reason


@pytest.mark.parametrize(("sent", "reason"), REFUSED_HERE)
def test_a_request_that_only_our_server_rejects(servers: Servers, sent: bytes, reason: str) -> None:
    assert len(servers.by_nginx(sent)[1]) == 1, reason
    assert servers.by_ours(sent)[0] == [400], reason


def test_after_close_and_keep_alive_only_nginx_reads_another_request(servers: Servers) -> None:
    """RFC 9112, 9.6: a client that sends `close` sends no other request. Here `close` counts, also with a later `keep-alive`."""
    sent = _GET + b"connection: close\r\nconnection: keep-alive\r\n\r\n" + SMUGGLED
    assert len(servers.by_nginx(sent)[1]) == 2
    assert servers.by_ours(sent)[0] == [OK]
