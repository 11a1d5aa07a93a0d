"""OPERATOR_PORT: health details and metrics are not at the public port."""

import httpx
import pytest

from fixtures.metrics import scrape_metrics
from fixtures.processes import Processes, Service, free_port
from fixtures.sim import Sim

OF_OPERATORS = ["/health", "/metrics", "/health/", "/metrics/", "/sims/default/health", "/HEALTH"]


@pytest.fixture
async def api(sim: Sim, redis_url: str, processes: Processes) -> Service:
    await sim.tick(times=1)
    return processes.start("api", REDIS_URL=redis_url, OPERATOR_PORT=str(free_port()))


async def test_the_public_port_has_no_operator_endpoints(api: Service) -> None:
    for path in OF_OPERATORS:
        answer = httpx.get(f"{api.url}{path}")
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
    assert httpx.get(f"{api.operator_url}/health").json()["tick"] == 1
    assert scrape_metrics(api.operator_url)["sector_api_tick"] == 1
    assert httpx.get(f"{api.operator_url}/snapshot").status_code == 404
    assert httpx.get(f"{api.url}/snapshot").json()["tick"] == 1


def test_the_public_port_does_not_reveal_the_address_of_redis(processes: Processes) -> None:
    gone = free_port()
    url = f"redis://127.0.0.1:{gone}/0"
    api = processes.start("api", REDIS_URL=url, OPERATOR_PORT=str(free_port()), wait=False)
    api.wait_for_fault("redis", "Redis is unreachable: start it, or correct REDIS_URL")
    assert str(gone) in httpx.get(f"{api.operator_url}/health").text
    for path in (*OF_OPERATORS, "/health/ready", "/health/live"):
        assert str(gone) not in httpx.get(f"{api.url}{path}").text, path
    assert httpx.get(f"{api.url}/health/ready").status_code == 503
