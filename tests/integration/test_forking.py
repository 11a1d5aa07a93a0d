"""The world of docs/guides/write-a-world.md runs unchanged with the worker and the API."""

import asyncio
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from fixtures.processes import Processes
from sector.process import Health
from sector.state.redis.client import connect
from sector.state.world import World
from sector.worker.settings import WorkerSettings
from sector.worker.worker import REDIS, Worker

PAGE = Path("docs/guides/write-a-world.md")


def code() -> str:
    """Return the whole world of the page."""
    (program,) = re.findall(
        r"^## A complete world\n.*?^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    return str(program)


@pytest.fixture
def scores(tmp_path: Path) -> ModuleType:
    """The module of the page."""
    path = tmp_path / "scores.py"
    path.write_text(code())
    spec = importlib.util.spec_from_file_location("scores", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_world_is_less_than_sixty_lines() -> None:
    body = code().partition("class Scores")[2]
    assert len([line for line in body.splitlines() if line.strip()]) < 60


async def test_a_custom_world_runs_with_worker_and_api(
    scores: ModuleType, redis_url: str, processes: Processes
) -> None:
    world: World[bytes] = scores.Scores()
    settings = WorkerSettings(redis_url=redis_url, tick_delay=0.02, lease_ttl_ms=2000)
    redis, stop = connect(redis_url), asyncio.Event()
    running = asyncio.create_task(Worker(settings, redis, world, Health("worker", REDIS)).run(stop))
    try:
        api = await asyncio.to_thread(processes.start, "api", REDIS_URL=redis_url)
        async with httpx.AsyncClient(base_url=api.url) as client:
            first = await _order(client, {"type": "join", "faction": "Me"})
            await _order(client, {"type": "note", "faction": "Me", "text": "one"})
            last = await _order(client, {"type": "note", "faction": "Me", "text": "two"})
            events = (await client.get("/events")).json()["events"]
            assert [(event["type"], event["faction"]) for event in events] == [("scored", "Me")] * 3
            assert (events[0]["order"], events[-1]["order"]) == (first, last)
            snapshot = (await client.get("/snapshot")).json()
            assert snapshot["factions"] == [{"id": "Me", "score": 2}]
            ghost = await client.post("/orders", json={"type": "note", "faction": "Ghost", "text": "boo"})
            assert ghost.status_code == 422
    finally:
        stop.set()
        await running
        await redis.aclose()


async def _order(client: httpx.AsyncClient, order: dict[str, str]) -> str:
    """Submit an order, and wait for its event."""
    answer = await client.post("/orders", json=order)
    assert answer.status_code == 202, answer.text
    async with asyncio.timeout(60):
        while True:
            events = (await client.get("/events", params={"limit": 1000})).json()["events"]
            if any(event["order"] == answer.json()["id"] for event in events):
                return str(answer.json()["id"])
            await asyncio.sleep(0.02)
