"""The guide for machines without containers: its processes, with the settings as written there, behind its nginx."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import socketio

from documentation.code_blocks import blocks_of
from fixtures.certificates import self_signed
from fixtures.nginx import Nginx, require_nginx
from fixtures.processes import Processes, Service, free_port
from fixtures.tokens import SECRET, bearer_header, create_token

PAGE = "docs/guides/deploy.md"


class Installation(NamedTuple):
    """What the guide starts. `address` is that of nginx."""

    address: str
    services: dict[str, Service]


def documented_settings() -> dict[str, dict[str, str]]:
    """Return the settings of each service, as its command in the guide has them."""
    (block,) = (text for text in blocks_of(PAGE, "sh") if "sector/bin/sector-worker" in text)
    (exported,) = re.findall(r"^export (.*)", block, re.MULTILINE)
    commands = re.findall(r"^(.+) sector/bin/sector-(\w+)$", block, re.MULTILINE)
    return {service: _variables(f"{exported} {settings}") for settings, service in commands}


def _variables(text: str) -> dict[str, str]:
    return {name: value.strip("'") for name, value in re.findall(r"(\w+)=('[^']*'|\S+)", text)}


@pytest.fixture
def installation(redis_url: str, processes: Processes, tmp_path: Path) -> Iterator[Installation]:
    program, port, certificate = require_nginx(), free_port(), self_signed(tmp_path)
    services = {}
    for service, settings in documented_settings().items():
        # (ports, Redis and secret are those of the test)
        portable = {name: value for name, value in settings.items() if not name.endswith("PORT")}
        secret = {"AUTH_SECRET": SECRET} if "AUTH_SECRET" in settings else {}
        services[service] = processes.start(service, wait=True, **{**portable, **secret, "REDIS_URL": redis_url})
    (configuration,) = blocks_of(PAGE, "nginx")
    configuration = configuration.replace("listen 443", f"listen 127.0.0.1:{port}")
    configuration = re.sub(r"/etc/nginx/sector\.(crt|key)", str(certificate), configuration)
    for documented, service in ((":8000", "api"), (":9000", "viz")):
        configuration = configuration.replace(documented, f":{services[service].port}")
    nginx = Nginx(program, port, tmp_path)
    nginx.open(configuration)
    yield Installation(f"https://127.0.0.1:{port}", services)
    nginx.close()


@pytest.fixture
def client(installation: Installation) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=installation.address, verify=False, timeout=20) as client:  # noqa: S501
        yield client


def test_the_guide_starts_each_service() -> None:
    settings = documented_settings()
    assert settings.keys() == {"worker", "api", "viz"}
    assert {each["HOST"] for each in settings.values()} == {"127.0.0.1"}
    # (nginx forwards all paths of the public ports)
    assert {"OPERATOR_PORT"} <= settings["api"].keys() & settings["viz"].keys()


def test_a_player_orders_through_the_proxy(client: httpx.Client) -> None:
    order = {"type": "join", "faction": "Me"}
    assert client.post("/api/orders", json=order).status_code == 401
    accepted = client.post("/api/orders", json=order, headers=bearer_header(create_token("Me")))
    assert accepted.status_code == 202
    assert client.get(f"/api/orders/{accepted.json()['id']}?wait=10s").json()["status"] == "applied"


def test_events_arrive_when_they_happen(client: httpx.Client) -> None:
    with client.stream("GET", "/api/events/stream") as stream:
        assert "event: tick" in stream.iter_lines()


def test_the_page_comes_from_the_proxy_and_finds_the_api(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "/api" in page.text


async def test_a_browser_watches_over_a_websocket(installation: Installation) -> None:
    async with socketio.AsyncSimpleClient(ssl_verify=False, serializer="msgpack") as spectator:
        origin = {"Origin": installation.address}
        await spectator.connect(installation.address, headers=origin, socketio_path="ws", transports=["websocket"])
        assert await spectator.call("watch", ("", "")) is None
