"""A process: how it starts, says how it is, and ends."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from fixtures.processes import environment, free_port

type Start = Callable[[str, int], subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(work: str, port: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sample_process", str(port)]
        process = subprocess.Popen(
            command, env=environment(WORK=work), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def get(port: int, path: str) -> httpx.Response:
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{port}{path}")
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_work_and_the_process_with_0(start: Start, sent: signal.Signals) -> None:
    port = free_port()
    process = start("wait", port)
    assert get(port, "/health").json()["ready"] is True
    process.send_signal(sent)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "work ended" in output


def test_work_that_fails_ends_the_process_with_1_and_says_why(start: Start) -> None:
    process = start("fail", free_port())
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "RuntimeError: as told" in output


def test_work_that_hangs_is_cancelled_within_a_bound(start: Start) -> None:
    port = free_port()
    process = start("hang", port)
    get(port, "/health/live")
    process.terminate()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "did not end within" in output


def test_a_port_that_is_taken_is_named_and_ends_it_with_2(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        output, _ = (process := start("wait", port)).communicate(timeout=60)
    assert process.returncode == 2
    assert f"cannot listen at 127.0.0.1:{port}: Address already in use; see HOST" in output


def test_unready_is_not_dead(start: Start) -> None:
    port = free_port()
    start("unready", port)
    assert get(port, "/health/live").status_code == 200
    for path in ("/health", "/health/ready"):
        answer = get(port, path)
        assert answer.status_code == 503
        assert answer.json()["conditions"]["thing"]["fault"] == "not checked yet"
