"""The echo process with its own port, and exchanges of raw bytes with it."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from fixtures.processes import environment, free_port
from fixtures.waiting import wait_until


@contextlib.contextmanager
def echo_process(log: Path, **settings: str) -> Iterator[tuple[int, int]]:
    """Run the process, and yield its port and its pid. Afterwards its log has nothing but lines about malformed requests."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "echo_process", str(port)], env=environment(**settings), stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}/health/live"
    wait_until(lambda: httpx.get(url).is_success, "the server", errors=(httpx.TransportError,))
    yield port, process.pid
    process.kill()
    process.wait()
    assert "Traceback" not in log.read_text()
    assert all("malformed" in line for line in log.read_text().splitlines())


@contextlib.contextmanager
def echo_server(log: Path) -> Iterator[int]:
    """Run the process and yield its port."""
    with echo_process(log) as (port, _):
        yield port


def exchange(port: int, sent: bytes, *, ends: bool = True) -> bytes:
    """Send bytes and return all bytes of the response until the connection is closed.

    `ends`: close the sending side at once.
    """
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(sent)
        if ends:
            client.shutdown(socket.SHUT_WR)
        while chunk := client.recv(65_536):
            answer += chunk
    return answer


def status_codes(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
