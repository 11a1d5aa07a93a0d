"""The lifetime of a process: start, health and end."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sample import Sample, start_sample

from fixtures.processes import free_port

type Start = Callable[[str, int], Sample]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Sample] = []

    def run(work: str, port: int) -> Sample:
        started.append(start_sample(tmp_path / f"log-{len(started)}", port, WORK=work))
        return started[-1]

    yield run
    for sample in started:
        sample.kill()


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
    sample = start("wait", port)
    assert get(port, "/health").json()["ready"] is True
    sample.process.send_signal(sent)
    output = sample.wait()
    assert sample.process.returncode == 0
    assert "work ended" in output


def test_failed_work_ends_the_process_with_1_and_a_reason(start: Start) -> None:
    sample = start("fail", free_port())
    output = sample.wait()
    assert sample.process.returncode == 1
    assert "RuntimeError: as told" in output


def test_work_that_hangs_is_cancelled_after_a_time_limit(start: Start) -> None:
    port = free_port()
    sample = start("hang", port)
    get(port, "/health/live")
    sample.process.terminate()
    output = sample.wait()
    assert sample.process.returncode == 0
    assert "task cancelled after shutdown timeout" in output


def test_a_port_in_use_is_an_error_with_exit_code_2(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        output = (sample := start("wait", port)).wait()
    assert sample.process.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; correct HOST" in output


def test_a_process_that_is_not_ready_is_still_live(start: Start) -> None:
    port = free_port()
    start("unready", port)
    assert get(port, "/health/live").status_code == 200
    for path in ("/health", "/health/ready"):
        answer = get(port, path)
        assert answer.status_code == 503
        assert answer.json()["conditions"]["thing"]["error"] == "not checked yet"
