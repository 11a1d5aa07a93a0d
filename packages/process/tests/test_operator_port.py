"""The operator port: what is for operators is not at the public port."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from fixtures.processes import environment, free_port
from fixtures.waiting import until


@dataclass(frozen=True)
class Ports:
    """Those of a process that runs."""

    process: subprocess.Popen[str]
    public: int
    operator: int


def start(work: str, public: int, operator: int, **told: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sample_process", str(public)],
        env=environment(WORK=work, OPERATOR_PORT=str(operator), **told),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def running(work: str) -> Iterator[Ports]:
    public, operator = free_port(), free_port()
    with start(work, public, operator) as process:
        until(lambda: get(operator, "/health/live").status_code == 200, "an answer", faults=(httpx.TransportError,))
        yield Ports(process, public, operator)
        process.kill()


@pytest.fixture(scope="module", params=["wait", "unready"])
def ports(request: pytest.FixtureRequest) -> Iterator[Ports]:
    with running(request.param) as ports:
        yield ports


def get(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10)


@pytest.mark.parametrize("path", ["/health", "/health/", "/metrics", "/metrics?x=1", "//metrics", "/health/live/x"])
def test_the_public_port_has_nothing_for_operators(ports: Ports, path: str) -> None:
    answer = get(ports.public, path)
    assert answer.status_code == 404
    assert "conditions" not in answer.text
    assert "sector_ready" not in answer.text


def test_the_operator_port_has_all_of_it(ports: Ports) -> None:
    health = get(ports.operator, "/health")
    assert health.json()["service"] == "sample"
    assert "conditions" in health.json()
    assert health.is_success == health.json()["ready"]
    assert "sector_ready" in get(ports.operator, "/metrics").text


def test_the_public_port_says_whether_it_is_live_and_ready_and_no_more(ports: Ports) -> None:
    ready = get(ports.operator, "/health/ready")
    assert "conditions" in ready.json()
    public = get(ports.public, "/health/ready")
    assert public.status_code == ready.status_code
    assert public.json() == {"service": "sample", "ready": ready.is_success}
    assert get(ports.public, "/health/live").json() == {"live": True}


def test_a_signal_ends_both() -> None:
    with running("wait") as ports:
        ports.process.terminate()
        ports.process.communicate(timeout=60)
        assert ports.process.returncode == 0
        for port in (ports.public, ports.operator):
            with pytest.raises(httpx.TransportError):
                get(port, "/health/live")


def test_an_operator_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        output, _ = (process := start("wait", free_port(), port)).communicate(timeout=60)
    assert process.returncode == 2
    assert f"cannot listen at 127.0.0.1:{port}: Address already in use" in output


@pytest.mark.parametrize("share", ["true", "false"])
def test_one_port_cannot_be_both(share: str) -> None:
    port = free_port()
    output, _ = (process := start("wait", port, port, REUSE_PORT=share)).communicate(timeout=60)
    assert process.returncode == 2
    assert f"wrong setting OPERATOR_PORT={port}: it is the public port" in output
