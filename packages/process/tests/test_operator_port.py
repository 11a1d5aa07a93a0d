"""The operator port: endpoints for operators are not at the public port."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sample import Sample, start_sample

from fixtures.processes import free_port
from fixtures.waiting import wait_until


@dataclass(frozen=True)
class Ports:
    """The ports of a running process."""

    sample: Sample
    public: int
    operator: int


def start(log: Path, work: str, public: int, operator: int, **settings: str) -> Sample:
    return start_sample(log, public, WORK=work, OPERATOR_PORT=str(operator), **settings)


@contextmanager
def running(log: Path, work: str) -> Iterator[Ports]:
    public, operator = free_port(), free_port()
    sample = start(log, work, public, operator)
    try:
        wait_until(
            lambda: get(operator, "/health/live").status_code == 200, "an answer", errors=(httpx.TransportError,)
        )
        yield Ports(sample, public, operator)
    finally:
        sample.kill()


@pytest.fixture(scope="module", params=["wait", "unready"])
def ports(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    with running(tmp_path_factory.mktemp("ports") / "log", request.param) as ports:
        yield ports


def get(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10)


@pytest.mark.parametrize("path", ["/health", "/health/", "/metrics", "/metrics?x=1", "//metrics", "/health/live/x"])
def test_the_public_port_has_no_endpoints_for_operators(ports: Ports, path: str) -> None:
    answer = get(ports.public, path)
    assert answer.status_code == 404
    assert "conditions" not in answer.text
    assert "sector_ready" not in answer.text


def test_the_operator_port_has_all_endpoints_for_operators(ports: Ports) -> None:
    health = get(ports.operator, "/health")
    assert health.json()["service"] == "sample"
    assert "conditions" in health.json()
    assert health.is_success == health.json()["ready"]
    assert "sector_ready" in get(ports.operator, "/metrics").text


def test_the_public_port_has_only_liveness_and_readiness(ports: Ports) -> None:
    ready = get(ports.operator, "/health/ready")
    assert "conditions" in ready.json()
    public = get(ports.public, "/health/ready")
    assert public.status_code == ready.status_code
    assert public.json() == {"service": "sample", "ready": ready.is_success}
    assert get(ports.public, "/health/live").json() == {"live": True}


def test_a_signal_ends_both_servers(tmp_path: Path) -> None:
    with running(tmp_path / "log", "wait") as ports:
        ports.sample.process.terminate()
        ports.sample.wait()
        assert ports.sample.process.returncode == 0
        for port in (ports.public, ports.operator):
            with pytest.raises(httpx.TransportError):
                get(port, "/health/live")


def test_an_error_names_an_operator_port_that_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        output = (sample := start(tmp_path / "log", "wait", free_port(), port)).wait()
    assert sample.process.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in output


@pytest.mark.parametrize("share", ["true", "false"])
def test_the_operator_port_must_not_be_the_public_port(tmp_path: Path, share: str) -> None:
    port = free_port()
    output = (sample := start(tmp_path / "log", "wait", port, port, REUSE_PORT=share)).wait()
    assert sample.process.returncode == 2
    assert f"wrong setting OPERATOR_PORT={port}: it is the public port" in output
