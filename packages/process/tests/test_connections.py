"""Connections of clients: slow and silent ones are closed, their number is limited, and malformed requests get a
response.
"""

import json
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sample import start_sample

from fixtures.processes import free_port
from fixtures.waiting import wait_until
from sector.process import Health, Settings, create_app
from sector.process.client_networks import client_network, set_ipv6_prefix
from sector.process.connections import ConnectionLimit, resolve_max_connections
from sector.process.server import idle_timeout_s

_WITHIN_S = 60.0


class Server:
    """The sample process with its port and its log."""

    def __init__(self, log: Path, **settings: str) -> None:
        self.port = free_port()
        self.log = log
        self.sample = start_sample(log, self.port, WORK="wait", **settings)
        wait_until(self.connects, "the server", errors=(OSError,))

    def connects(self) -> bool:
        with self.connect() as client:
            # Before the server listens, the kernel may assign its port to the connecting client itself.
            connected: bool = client.getsockname() != client.getpeername()
            return connected

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=_WITHIN_S, source_address=(source, 0))

    def metric(self, name: str) -> float:
        lines = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


type Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Server] = []

    def run(**settings: str) -> Server:
        started.append(Server(tmp_path / f"log-{len(started)}", **settings))
        return started[-1]

    yield run
    for server in started:
        server.sample.kill()


def drip(client: socket.socket, first: bytes, drop: bytes) -> bytes:
    """Send `first`, then `drop` every 0.1 s until the connection is closed. Return the response."""
    client.settimeout(0.1)
    answer, deadline = b"", time.monotonic() + _WITHIN_S
    try:
        client.sendall(first)
        while time.monotonic() < deadline:
            try:
                if not (chunk := client.recv(4096)):
                    return answer
                answer += chunk
            except TimeoutError:
                client.sendall(drop)
    except ConnectionError:
        return answer
    raise AssertionError(f"the connection is still open; it was answered {answer!r}")


_CHUNKED = b"POST /%b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
_LONG = b"POST /%b HTTP/1.1\r\nhost: a\r\ncontent-length: 10000\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "drop", "status"),
    [
        (_CHUNKED % b"nowhere", b"1\r\n \r\n", b"404"),
        (_LONG % b"nowhere", b" ", b"404"),
        (_CHUNKED % b"health/live", b"1\r\n \r\n", b"405"),
        (b"GET /health/live HTTP/1.1\r\nhost: a\r\n", b"x: y\r\n", b"408"),
        (b"GET /health/live HTTP/1.1\r\nhost: a\r\ncontent-length: 9999\r\n\r\n", b" ", b"200"),
        (b"GET /health/live HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n", b"200"),
    ],
)
def test_a_slow_sender_is_disconnected_after_any_response(
    start: Start, first: bytes, drop: bytes, status: bytes
) -> None:
    server = start(SENDER_TIMEOUT_S="1")
    with server.connect() as client:
        answer = drip(client, first, drop)
    assert answer.startswith(b"HTTP/1.1 " + status)
    if status == b"408":
        assert b"connection: close" in answer.lower()
    assert "Traceback" not in server.log.read_text()


def test_a_fast_sender_keeps_its_connection_after_an_early_response(start: Start) -> None:
    server = start(SENDER_TIMEOUT_S="1")
    with server.connect() as client:
        client.sendall(_LONG % b"nowhere")
        assert client.recv(4096).startswith(b"HTTP/1.1 404")
        client.sendall(b" " * 10_000 + b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("proxies", "settings", "idle_s"),
    [(0, {}, 15), (1, {}, 3700), (2, {"idle_timeout_s": 75}, 75), (0, {"idle_timeout_s": 9}, 9)],
)
def test_the_idle_timeout_is_longer_behind_proxies(proxies: int, settings: dict[str, float], idle_s: float) -> None:
    app = create_app(Health("idle"))
    app.config.PROXIES_COUNT = proxies or None
    assert idle_timeout_s(app, Settings.model_validate(settings)) == idle_s
    type(app).unregister_app(app)


@pytest.mark.parametrize("first", [b"", b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n"])
def test_an_idle_connection_is_closed(start: Start, first: bytes) -> None:
    server = start(IDLE_TIMEOUT_S="1")
    with server.connect() as client:
        client.sendall(first)
        answer = client.recv(4096)
        if first:
            assert answer.startswith(b"HTTP/1.1 200")
            answer = client.recv(4096)
    assert answer == b""


def test_an_address_has_a_limit_that_does_not_affect_others(start: Start) -> None:
    server = start(MAX_CONNECTIONS_PER_ADDRESS="3", IDLE_TIMEOUT_S="3600")
    wait_until(lambda: server.metric("sector_http_connections ") == 1, "the connections of the start to be closed")
    with ExitStack() as held:
        mine = [held.enter_context(server.connect("127.0.0.7")) for _ in range(3)]
        wait_until(lambda: server.metric("sector_http_connections ") == 4, "three connections, and the one that asks")
        with server.connect("127.0.0.7") as refused:
            answer = refused.recv(4096)
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"retry-after: 5" in answer
            assert b"content-type: application/problem+json" in answer
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 503
            assert refused.recv(4096) == b""
        assert server.metric('sector_http_connections_refused_total{limit="address"}') == 1
        with server.connect("127.0.0.8") as other:
            other.sendall(b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n")
            assert other.recv(4096).startswith(b"HTTP/1.1 200")
        mine[0].close()

        def admitted() -> bool:
            with server.connect("127.0.0.7") as again:
                again.sendall(b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n")
                return again.recv(4096).startswith(b"HTTP/1.1 200")

        wait_until(admitted, "room for another", errors=(ConnectionError,))


def test_an_address_with_few_connections_has_precedence_at_the_limit(start: Start) -> None:
    server = start(MAX_CONNECTIONS="40", MAX_CONNECTIONS_PER_ADDRESS="0", IDLE_TIMEOUT_S="3600")
    with ExitStack() as held:
        for _ in range(60):
            held.enter_context(server.connect("127.0.0.7"))
        wait_until(lambda: server.metric('sector_http_connections_refused_total{limit="process"}') >= 20, "refusals")
        assert httpx.get(f"http://127.0.0.1:{server.port}/health/live").status_code == 200
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize(
    ("descriptors", "requested", "accepted"),
    [
        (1024, 0, 512),
        (1024, 5000, 512),
        (1024, 100, 100),
        (30_000, 0, 20_000),
        (100_000, 50_000, 50_000),
        (resource.RLIM_INFINITY, 0, 20_000),
        (1, 0, 1),
    ],
)
def test_connections_leave_room_for_other_descriptors(
    monkeypatch: pytest.MonkeyPatch, descriptors: int, requested: int, accepted: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert resolve_max_connections(requested) == accepted


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("no:address", "no:address"),
        ("10.1.2.3:8080", "10.1.2.3"),
        ("[2001:DB8:1:2::9]:8080", "2001:db8:1:2::/64"),
        ("2001:0db8:0001:0002::9", "2001:db8:1:2::/64"),
        (" 10.1.2.3 ", "10.1.2.3"),
        ('"[2001:db8:1:2::9]"', "2001:db8:1:2::/64"),
        ("Unknown", "unknown"),
        ("x" * 1000, "x" * 64),
        ("", ""),
    ],
)
def test_an_address_or_a_network_counts_as_one_client(address: str, network: str) -> None:
    assert client_network(address) == network


def test_ipv6_networks_have_the_configured_prefix_length() -> None:
    try:
        set_ipv6_prefix(48)
        assert client_network("2001:db8:1:2::9") == client_network("2001:db8:1:3::") == "2001:db8:1::/48"
    finally:
        set_ipv6_prefix(64)


def test_closed_connections_use_no_memory() -> None:
    limit = ConnectionLimit(100, 10)
    for number in range(1000):
        assert limit.admit(str(number))
        limit.release(str(number))
    assert (limit.total, limit._by_address) == (0, {})


@pytest.mark.parametrize(
    "head",
    [
        b"GET /a\tb HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /a\x1b[31mb HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /a\rb HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /a\x00b HTTP/1.1\r\nhost: a\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nhost: a\r\n\r\n",
        b"NONE /a\tb HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n",
        b"hello\r\n\r\n",
    ],
)
def test_a_malformed_head_is_a_400_and_is_logged_and_counted(start: Start, head: bytes) -> None:
    server = start()
    with server.connect() as client:
        client.sendall(head)
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert server.metric("sector_http_requests_malformed_total") == 1
    lines = wait_until(lambda: server.log.read_text().splitlines(), "the line")
    assert [line for line in lines if "127.0.0.1" in line and "malformed" in line]
    assert len(lines) == 1
    assert "Traceback" not in lines[0]


def test_the_operator_port_has_the_same_limits_for_itself(start: Start) -> None:
    operator_port = free_port()
    server = start(SENDER_TIMEOUT_S="1", OPERATOR_PORT=str(operator_port), MAX_CONNECTIONS="5", IDLE_TIMEOUT_S="3600")
    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(server.connect("127.0.0.7"))
        health = f"http://127.0.0.1:{operator_port}/health"
        assert (
            wait_until(lambda: httpx.get(health), "the second port", errors=(httpx.TransportError,)).status_code == 200
        )
        with socket.create_connection(("127.0.0.1", operator_port), timeout=_WITHIN_S) as client:
            answer = drip(client, _CHUNKED % b"nowhere", b"1\r\n \r\n")
            assert answer.startswith(b"HTTP/1.1 404")
        with socket.create_connection(("127.0.0.1", operator_port), timeout=_WITHIN_S) as client:
            client.sendall(b"GET /a\tb HTTP/1.1\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert "Traceback" not in server.log.read_text()


def test_connections_wait_until_a_busy_process_accepts_them(start: Start) -> None:
    server = start()
    os.kill(server.sample.process.pid, signal.SIGSTOP)
    try:
        with ExitStack() as clients:
            # The system may allow a shorter backlog.
            for _ in range(min(400, int(Path("/proc/sys/net/core/somaxconn").read_text()))):
                clients.enter_context(server.connect())
    finally:
        os.kill(server.sample.process.pid, signal.SIGCONT)
