"""GET /metrics: what is counted is what happened."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from fixtures.processes import Processes
from fixtures.sim import Sim

NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}


async def test_it_counts_answers_orders_and_streams(sim: Sim, redis_url: str, processes: Processes) -> None:
    await sim.tick(times=3)
    api = processes.start("api", REDIS_URL=redis_url)
    for order in (NOTE, [NOTE, NOTE], {"type": "fly"}):
        httpx.post(f"{api.url}/orders", json=order)
    for method in ("BREW", "WHEN"):
        httpx.request(method, f"{api.url}/snapshot")
    with httpx.stream("GET", f"{api.url}/events/stream"):
        answer = httpx.get(f"{api.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["sector_api_answers_total", "POST", "202"] == 1
    assert found["sector_api_answers_total", "POST", "207"] == 1
    assert found["sector_api_answers_total", "POST", "422"] == 1
    assert found["sector_api_answers_total", "other", "405"] == 2
    assert found["sector_api_orders_accepted_total",] == 3
    assert found["sector_api_streams",] == 1
    assert found["sector_api_streams_dropped_total",] == 0
    assert found["sector_api_tick",] == 3
