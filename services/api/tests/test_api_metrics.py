"""GET /metrics: the metrics of requests, orders and streams."""

import httpx
import pytest

from fixtures.metrics import scrape_metrics, wait_for_metrics
from fixtures.orders import NOTE
from fixtures.processes import Processes, free_port
from fixtures.sim import Sim

REQUESTS = "sector_http_request_duration_seconds_count"


async def test_requests_orders_and_streams_are_counted(sim: Sim, redis_url: str, processes: Processes) -> None:
    await sim.tick(times=3)
    api = processes.start("api", REDIS_URL=redis_url)
    for order in (NOTE, [NOTE, NOTE, {"type": "fly"}], {"type": "fly"}):
        httpx.post(f"{api.url}/orders", json=order)
    httpx.post(f"{api.url}/sims/default/orders", content="{")
    httpx.get(f"{api.url}/sims/nowhere/snapshot")
    for method in ("BREW", "WHEN"):
        httpx.request(method, f"{api.url}/snapshot")
    for path in ("/made", "/up"):
        httpx.get(f"{api.url}{path}")
    with httpx.stream("GET", f"{api.url}/events/stream"):
        metrics = scrape_metrics(api.url)
    assert metrics[REQUESTS, "POST", "/orders", "202"] == 1
    assert metrics[REQUESTS, "POST", "/orders", "207"] == 1
    assert metrics[REQUESTS, "POST", "/orders", "422"] == 1
    assert metrics[REQUESTS, "POST", "/sims/<sim_id>/orders", "400"] == 1
    assert metrics[REQUESTS, "GET", "/sims/<sim_id>/snapshot", "404"] == 1
    assert metrics[REQUESTS, "GET", "/events/stream", "200"] == 1
    assert metrics[REQUESTS, "other", "other", "405"] == 2
    assert metrics[REQUESTS, "GET", "other", "404"] == 2
    assert metrics["sector_orders_accepted_total"] == 3
    assert metrics["sector_orders_refused_total", "Invalid order"] == 2
    assert metrics["sector_orders_refused_total", "Malformed JSON"] == 1
    assert metrics["sector_api_streams"] == 1
    assert metrics["sector_api_streams_dropped_total"] == 0
    assert metrics["sector_api_tick"] == 3
    assert metrics["sector_redis_round_trip_seconds_count", "EVALSHA"] >= 2
    assert metrics["sector_condition", "sim"] == 1


async def test_pending_orders_are_measured(sim: Sim, redis_url: str, processes: Processes) -> None:
    await sim.tick(times=1)
    api = processes.start("api", REDIS_URL=redis_url)
    assert scrape_metrics(api.url)["sector_oldest_pending_order_age_seconds"] == 0
    for _ in range(3):
        httpx.post(f"{api.url}/orders", json=NOTE)
    before = wait_for_metrics(api.url, lambda metrics: metrics["sector_orders_pending"] == 3, "all three wait")
    age_s = before["sector_oldest_pending_order_age_seconds"]
    wait_for_metrics(
        api.url, lambda metrics: metrics["sector_oldest_pending_order_age_seconds"] > age_s + 0.5, "they grow older"
    )
    await sim.tick(times=1)
    after = wait_for_metrics(api.url, lambda metrics: metrics["sector_orders_pending"] == 0, "the tick took them")
    assert after["sector_oldest_pending_order_age_seconds"] == 0


@pytest.mark.parametrize(
    ("earlier", "name"),
    [
        ("sector_orders_waiting", "sector_orders_pending"),
        ("sector_oldest_order_seconds", "sector_oldest_pending_order_age_seconds"),
    ],
)
@pytest.mark.usefixtures("sim")
def test_a_metric_is_exported_by_its_earlier_name_too(
    redis_url: str, processes: Processes, earlier: str, name: str
) -> None:
    api = processes.start("api", REDIS_URL=redis_url)
    httpx.post(f"{api.url}/orders", json=NOTE)
    wait_for_metrics(api.url, lambda metrics: metrics[name] > 0 and metrics[earlier] > 0, "a pending order is measured")


async def test_several_apis_at_one_port_answer_for_all(sim: Sim, redis_url: str, processes: Processes) -> None:
    await sim.tick(times=1)
    folder = processes.folder / "metrics"
    port = str(free_port())
    apis = [
        processes.start("api", REDIS_URL=redis_url, PORT=port, REUSE_PORT="true", PROMETHEUS_MULTIPROC_DIR=str(folder))
        for _ in range(3)
    ]
    # Each scrape opens a connection. The kernel assigns it to one of the processes that listen.
    orders = 0
    while len(list(folder.glob("histogram_*.db"))) < 3 or orders < 30:
        httpx.post(f"{apis[0].url}/orders", json=NOTE).raise_for_status()
        orders += 1
    wait_for_metrics(
        apis[0].url,
        lambda metrics: metrics["sector_orders_accepted_total"] == orders,
        "others count soon, too",
    )
    for _ in range(10):
        metrics = scrape_metrics(apis[0].url)
        assert metrics[REQUESTS, "POST", "/orders", "202"] == orders
        assert metrics["sector_orders_accepted_total"] == orders
        assert metrics["sector_api_tick"] <= 1, "of all three, and not their sum"
    wait_for_metrics(
        apis[0].url, lambda metrics: metrics["sector_api_tick"] == 1, "the last of them has read the sim, too"
    )
    apis[1].process.kill()
    apis[1].process.wait()
    httpx.post(f"{apis[0].url}/orders", json=NOTE).raise_for_status()
    wait_for_metrics(
        apis[0].url,
        lambda metrics: metrics["sector_orders_accepted_total"] == orders + 1,
        "what it counted is not lost with it",
    )
