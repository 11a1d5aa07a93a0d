"""A clock that was set back leaves times in the future in Redis: the world ticks, and accepts and shows orders."""

import signal

import httpx
import pytest
from redis.asyncio import Redis

from fixtures.long import LONG
from fixtures.processes import Processes, Service, tick_of
from fixtures.waiting import wait_until
from hostile.clocks import CASES, ClockCase
from sector.models import SimConfig

CONFIG = SimConfig(systems=24, homes=4, players=("Azure",), puppets=())
NOTE = {"type": "note", "faction": "Azure", "text": "hello"}
SELECTED = CASES if LONG else CASES[:1]


def start_worker(processes: Processes, redis_url: str) -> Service:
    """Start a worker, and wait until it ticks."""
    config = CONFIG.model_dump_json()
    worker = processes.start("worker", REDIS_URL=redis_url, TICK_DELAY="0.1", LEASE_TTL_MS="1000", SIM_CONFIG=config)
    before = tick_of(worker.wait_for(lambda health: tick_of(health) >= 0, "holding the sim"))
    worker.wait_for(lambda health: tick_of(health) > before, "ticking")
    return worker


@pytest.fixture
def ended_worker(processes: Processes, redis_url: str) -> Service:
    """A worker that was killed: its lease and its entry are still there."""
    worker = start_worker(processes, redis_url)
    worker.end(signal.SIGKILL)
    return worker


@pytest.mark.parametrize("case", SELECTED, ids=lambda case: case.name)
async def test_a_clock_jump_delays_no_other_worker(
    case: ClockCase, ended_worker: Service, redis: Redis, redis_url: str, processes: Processes
) -> None:
    assert ended_worker.process.poll() is not None
    await case.act(redis)
    start_worker(processes, redis_url)
    api, viz = (processes.start(service, REDIS_URL=redis_url) for service in ("api", "viz"))
    assert httpx.get(f"{viz.url}/sims/default/ticks?after=0").status_code == httpx.codes.OK
    order_id = httpx.post(f"{api.url}/orders", json=NOTE).raise_for_status().json()["id"]
    outcome = wait_until(
        lambda: (order_status := httpx.get(f"{api.url}/orders/{order_id}").json())["status"] != "pending"
        and order_status,
        "the order is applied",
    )
    assert outcome["status"] == "applied"
