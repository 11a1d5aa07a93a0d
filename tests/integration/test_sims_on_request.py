"""Sims that are requested over the API: a worker that serves all sims creates them, and they are independent."""

import httpx
import pytest

from fixtures.processes import Processes, Service, tick_of
from fixtures.sim import Sim
from sector.models import Snapshot

NEW = {"id": "mine", "config": {"systems": 30, "seed": 9, "puppets": ["Crimson"]}}


@pytest.fixture
def api(sim: Sim, redis_url: str, processes: Processes) -> Service:
    assert sim.lease.epoch == 1
    return processes.start("api", REDIS_URL=redis_url)


async def test_a_requested_sim_is_created_and_ticks(api: Service, redis_url: str, processes: Processes) -> None:
    assert httpx.post(f"{api.url}/sims", json=NEW).status_code == 202
    worker = processes.start("worker", REDIS_URL=redis_url, SIM_ID="*", TICK_DELAY="0.05")
    worker.wait_for(lambda health: tick_of(health, "mine") > 2, "ticking mine")
    snapshot = Snapshot.model_validate_json(httpx.get(f"{api.url}/sims/mine/snapshot").content)
    assert len(snapshot.systems) == 30
    assert httpx.get(f"{api.url}/sims/mine").json()["tick_length_ms"] == 50
    assert httpx.post(f"{api.url}/sims", json=NEW).json()["title"] == "The sim exists"


async def test_a_worker_creates_named_sims_and_ticks_all_others(redis_url: str, processes: Processes) -> None:
    worker = processes.start("worker", REDIS_URL=redis_url, SIM_ID="default,*", TICK_DELAY="0.05")
    worker.wait_for(lambda health: tick_of(health) > 0, "ticking default")
    api = processes.start("api", REDIS_URL=redis_url)
    assert httpx.post(f"{api.url}/sims", json=NEW).status_code == 202
    worker.wait_for(lambda health: tick_of(health, "mine") > 0, "ticking mine")


async def test_a_fork_starts_at_its_tick_and_diverges(
    api: Service, sim: Sim, redis_url: str, processes: Processes
) -> None:
    await sim.tick(times=8)
    answer = httpx.post(f"{api.url}/sims/default/fork", params={"tick": 6}, json={"id": "what-if"})
    assert (answer.status_code, answer.url.join(answer.headers["location"]).path) == (202, "/sims/what-if")
    worker = processes.start("worker", REDIS_URL=redis_url, SIM_ID="*", TICK_DELAY="0.05")
    worker.wait_for(lambda health: tick_of(health, "what-if") > 7, "ticking the fork")
    was = httpx.get(f"{api.url}/snapshot", params={"tick": 6}).json()
    forked = httpx.get(f"{api.url}/sims/what-if/snapshot", params={"tick": 6}).json()
    assert forked["state_hash"] == was["state_hash"]
    assert forked["systems"] == was["systems"]
