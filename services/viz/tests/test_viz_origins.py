"""Origins: a page connects behind any proxy that forwards its host, and a page of another host does not."""

import asyncio

import httpx
import pytest
from socketio.exceptions import ConnectionError as Refused
from spectator import Spectate, Spectator

from fixtures.processes import Processes, Service
from fixtures.sim import Sim
from fixtures.waiting import wait_until
from sector.viz.origins import is_same_origin, parse_host

pytest_plugins = ("spectating",)

PLAY = "https://play.example.org"
SAME = {
    "direct": ("http://localhost:9000", {"host": "localhost:9000"}),
    "direct, at the default port": ("http://localhost", {"host": "localhost"}),
    "behind TLS, no scheme forwarded": (PLAY, {"host": "play.example.org"}),
    "behind TLS, with the port": (PLAY, {"host": "play.example.org:443"}),
    "behind TLS, named by the port of HTTP": (PLAY, {"host": "play.example.org:80"}),
    "https": (PLAY, {"host": "play.example.org", "x-forwarded-proto": "https"}),
    "ws, as Traefik": (PLAY, {"host": "play.example.org", "x-forwarded-proto": "ws"}),
    "wss": (PLAY, {"host": "play.example.org", "x-forwarded-proto": "wss"}),
    "a scheme that is none": (PLAY, {"host": "play.example.org", "x-forwarded-proto": "HTTPS, http"}),
    "another port, not forwarded": ("https://play.example.org:8443", {"host": "play.example.org"}),
    "another port, forwarded": ("https://play.example.org:8443", {"host": "play.example.org:8443"}),
    "X-Forwarded-Host": (PLAY, {"host": "viz:9000", "x-forwarded-host": "play.example.org"}),
    "X-Forwarded-Host of two proxies": (PLAY, {"host": "viz:9000", "x-forwarded-host": "play.example.org, inner:80"}),
    "Forwarded alone": (PLAY, {"host": "viz:9000", "forwarded": "for=192.0.2.60;proto=https;host=play.example.org"}),
    "Forwarded, in quotes": (PLAY, {"host": "viz", "forwarded": 'for="[2001:db8::1]"; Host="play.example.org:443"'}),
    "Forwarded by two proxies": (PLAY, {"host": "viz", "forwarded": "for=a;host=play.example.org, for=b;host=inner"}),
    "upper case": ("https://Play.Example.ORG", {"host": "PLAY.example.org"}),
    "a dot at the end": ("https://play.example.org.", {"host": "play.example.org"}),
    "umlauts": ("https://xn--bcher-kva.example", {"host": "bücher.example"}),
    "IPv6": ("http://[::1]:9000", {"host": "[0:0:0:0:0:0:0:1]:9000"}),
    "a port that is empty": (PLAY, {"host": "play.example.org:"}),
}
OTHER = {
    "another host": (PLAY, {"host": "evil.example"}),
    "another port": ("http://localhost:9001", {"host": "localhost:9000"}),
    "the default port and another": (PLAY, {"host": "play.example.org:9000"}),
    "a host that begins alike": ("https://play.example.org.evil.example", {"host": "play.example.org"}),
    "a host that ends alike": ("https://evil-play.example.org", {"host": "play.example.org"}),
    "the host as a user": ("https://play.example.org@evil.example", {"host": "play.example.org"}),
    "null": ("null", {"host": "play.example.org"}),
    "a file": ("file://", {"host": "play.example.org"}),
    "empty": ("", {"host": ""}),
    "another scheme": ("ftp://play.example.org", {"host": "play.example.org"}),
    "an extension": ("chrome-extension://abcdef", {"host": "abcdef"}),
    "with a path": ("https://play.example.org/x", {"host": "play.example.org"}),
    "no host": (PLAY, {}),
    "a host that is none": (PLAY, {"host": "play.example.org:port"}),
    "a port that is none": ("https://play.example.org:99999", {"host": "play.example.org:99999"}),
    "within another parameter of Forwarded": (PLAY, {"host": "viz", "forwarded": 'by="host=play.example.org"'}),
}


@pytest.mark.parametrize(("origin", "headers"), SAME.values(), ids=SAME)
def test_a_page_of_the_same_host_may_connect(origin: str, headers: dict[str, str]) -> None:
    assert is_same_origin(origin, headers)


@pytest.mark.parametrize(("origin", "headers"), OTHER.values(), ids=OTHER)
def test_a_page_of_another_host_may_not_connect(origin: str, headers: dict[str, str]) -> None:
    assert not is_same_origin(origin, headers)


def test_a_host_that_idna_refuses_is_invalid() -> None:
    assert parse_host("a" * 64 + "ü.example") is None


@pytest.mark.parametrize("proto", ["ws", "wss", None])
async def test_spectators_connect_behind_a_proxy_that_ends_tls(
    viz: Service, spectate: Spectate, proto: str | None
) -> None:
    headers = {"Host": "play.example.org", "Origin": PLAY, **({"X-Forwarded-Proto": proto} if proto else {})}
    spectator = await spectate(viz, headers=headers)
    assert await spectator.watch() is None
    await spectator.world()


async def test_a_refusal_is_logged_once_a_second_and_counted(viz: Service, transports: tuple[str, ...]) -> None:
    headers = {"Host": "viz.internal:9000", "Origin": "https://evil.example"}
    for transport in transports * 5:
        with pytest.raises(Refused):
            await Spectator().client.connect(viz.url, headers=headers, socketio_path="ws", transports=[transport])
    health = await asyncio.to_thread(viz.wait_for, lambda health: health["origins_refused"] > 0, "refusing origins")
    assert (health["origins_refused"], health["refused"]) == (5 * len(transports), 0)
    lines = wait_until(lambda: [line for line in viz.log.read_text().splitlines() if "evil" in line], "the line")
    assert 1 <= len(lines) <= 3
    assert "viz.internal:9000" in lines[0]
    metrics = (await asyncio.to_thread(httpx.get, f"{viz.url}/metrics")).text
    assert f"sector_viz_origins_refused_total {5.0 * len(transports)}" in metrics


def ask(viz: Service, origin: str, host: str) -> dict[str, str]:
    """Request the reason why a page of this origin cannot connect."""
    answer = httpx.get(f"{viz.url}/connection", params={"origin": origin}, headers={"Host": host})
    assert answer.status_code == 200
    verdict: dict[str, str] = answer.json()
    return verdict


async def test_a_page_learns_why_it_cannot_connect(sim: Sim, redis_url: str, processes: Processes) -> None:
    assert sim.lease.epoch == 1
    viz = processes.start("viz", REDIS_URL=redis_url, MAX_SPECTATORS="1")
    verdict = await asyncio.to_thread(ask, viz, PLAY, "play.example.org")
    assert verdict["refusal"] == ""
    assert verdict["version"] in (await asyncio.to_thread(httpx.get, viz.url)).text
    verdict = await asyncio.to_thread(ask, viz, PLAY, "viz:9000")
    assert "forward the browser's Host header in the proxy" in verdict["refusal"]
    spectator = Spectator()
    await spectator.client.connect(viz.url, socketio_path="ws", transports=["websocket"])
    verdict = await asyncio.to_thread(ask, viz, PLAY, "play.example.org")
    assert verdict["refusal"] == "the limit of 1 spectators is reached"
    await spectator.leave()
