"""OPERATOR_PORT of the viz: health and metrics are not on the port of the page."""

import httpx

from fixtures.metrics import scrape_metrics
from fixtures.processes import Processes, free_port
from fixtures.sim import Sim


async def test_the_public_port_has_no_operator_endpoints(sim: Sim, redis_url: str, processes: Processes) -> None:
    await sim.tick(times=1)
    viz = processes.start("viz", REDIS_URL=redis_url, OPERATOR_PORT=str(free_port()))
    for path in ("/health", "/metrics", "/health/", "/metrics/"):
        assert httpx.get(f"{viz.url}{path}").status_code == 404, path
    assert httpx.get(f"{viz.url}/health/ready").json() == {"service": "viz", "ready": True}
    assert httpx.get(f"{viz.operator_url}/health").json()["tick"] == 1
    assert scrape_metrics(viz.operator_url)["sector_viz_tick"] == 1
    assert "<title>Sector" in httpx.get(viz.url).text


def test_the_public_port_does_not_reveal_the_address_of_redis(processes: Processes) -> None:
    gone = free_port()
    url = f"redis://127.0.0.1:{gone}/0"
    viz = processes.start("viz", REDIS_URL=url, OPERATOR_PORT=str(free_port()), wait=False)
    viz.wait_for_fault("redis", "Redis is unreachable: start it, or correct REDIS_URL")
    assert str(gone) in httpx.get(f"{viz.operator_url}/health").text
    ready = httpx.get(f"{viz.url}/health/ready")
    assert ready.status_code == 503
    assert str(gone) not in ready.text
