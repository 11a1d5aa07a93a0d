"""Fair starts of requests: a client that sends many requests at the same time does not delay the request of another
client.
"""

import asyncio
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import pytest
from echo_server import echo_process, exchange, status_codes

from sector.process.request_starts import RequestStarts

CROWD, OTHER = "127.0.0.2", "127.0.0.3"
GET = b"GET /count HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody"


class Server(NamedTuple):
    """A process with its port."""

    port: int
    pid: int

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the process. Requests that are sent meanwhile arrive in one iteration of its event loop."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with echo_process(tmp_path_factory.mktemp("server") / "log") as (port, pid):
        yield Server(port, pid)


def connect(port: int, source: str) -> socket.socket:
    """Connect from an address, and wait until the server reads from the connection."""
    client = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0))
    client.sendall(b"GET /header HTTP/1.1\r\nhost: a\r\n\r\n")
    assert client.recv(65_536).startswith(b"HTTP/1.1 200")
    return client


def number(client: socket.socket) -> int:
    """Return how many requests started before the request of this client."""
    answer = client.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return int(answer.rpartition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("pipelined", [1, 3])
def test_many_requests_of_one_address_do_not_delay_others(server: Server, pipelined: int) -> None:
    with ExitStack() as clients:
        crowd = [clients.enter_context(connect(server.port, CROWD)) for _ in range(400)]
        other = clients.enter_context(connect(server.port, OTHER))
        other.sendall(GET)
        before = number(other)
        with server.stopped():
            for client in crowd:
                client.sendall(pipelined * GET)
            other.sendall(GET)
        assert number(other) - before < 150
        for client in crowd:
            answer = b""
            while len(status_codes(answer)) < pipelined:
                answer += client.recv(65_536)
            assert status_codes(answer) == pipelined * [200]


@pytest.mark.parametrize("request_", [GET, POST, 3 * GET, 3 * POST], ids=["GET", "POST", "three GET", "three POST"])
def test_clients_that_close_their_sending_side_get_responses(server: Server, request_: bytes) -> None:
    requests = len(re.findall(rb"HTTP/1.1", request_))
    with ExitStack() as clients:
        crowd = [clients.enter_context(connect(server.port, CROWD)) for _ in range(200)]
        with server.stopped():
            for client in crowd:
                client.sendall(request_)
                client.shutdown(socket.SHUT_WR)
        for client in crowd:
            answer = b""
            while chunk := client.recv(65_536):
                answer += chunk
            assert status_codes(answer) == requests * [200]


def test_a_client_that_left_does_not_hold_its_connection(server: Server) -> None:
    with ExitStack() as clients:
        crowd = [clients.enter_context(connect(server.port, CROWD)) for _ in range(200)]
        with server.stopped():
            for client in crowd:
                client.sendall(b"GET /silence HTTP/1.1\r\nhost: a\r\n\r\n")
                client.shutdown(socket.SHUT_WR)
        for client in crowd:
            while client.recv(65_536):
                pass


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"GET /count HTTP/1.1\r\n",
        b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nbody",
        b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n",
    ],
)
def test_a_connection_that_ends_inside_a_request_is_closed(server: Server, part: bytes) -> None:
    assert 200 not in status_codes(exchange(server.port, part))
    assert status_codes(exchange(server.port, GET + part))[:1] == [200]


async def start_request(starts: RequestStarts, client: str, log: list[str]) -> None:
    if not starts.start():
        await starts.wait(client)
    log.append(client)


async def test_clients_start_in_rotation() -> None:
    starts, log = RequestStarts(), list[str]()
    crowd = [asyncio.create_task(start_request(starts, "crowd", log)) for _ in range(300)]
    other = asyncio.create_task(start_request(starts, "other", log))
    await other
    assert log.index("other") < 140
    assert starts.pending > 0
    await asyncio.gather(*crowd)
    assert (len(log), starts.pending) == (301, 0)


async def test_fewer_requests_start_while_iterations_are_long() -> None:
    now_s = 0.0

    def clock() -> float:
        nonlocal now_s
        now_s += 0.05
        return now_s

    starts, log, counts = RequestStarts(clock), list[str](), list[int]()
    tasks = [asyncio.create_task(start_request(starts, "a", log)) for _ in range(200)]
    while len(log) < 200:
        before = len(log)
        await asyncio.sleep(0)
        counts.append(len(log) - before)
    assert 1 in counts
    assert max(counts[-50:]) == 1
    await asyncio.gather(*tasks)


async def test_a_cancelled_request_leaves_its_place_to_the_next() -> None:
    starts, log = RequestStarts(), list[str]()
    tasks = [asyncio.create_task(start_request(starts, "a", log)) for _ in range(100)]
    await asyncio.sleep(0)
    for task in tasks[64:90]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (len(log), starts.pending) == (74, 0)
