"""Players fill Redis in every way at the same time: their requests are refused with the reason, and the world ticks."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Callable

import httpx
from redis.asyncio import Redis

from fixtures.processes import Processes, tick_of
from sector.models import SimConfig
from sector.state.keys import SimKeys

MAX_BYTES = 128 * 2**20
NOTE = {"type": "note", "faction": "Azure", "text": "\N{ROCKET}" * 280}
REFUSALS = 3
"""Refused requests of each kind before the attack ends."""

type Attack = Callable[[httpx.AsyncClient, int], httpx.Request]


def post(path: str, body: object, **headers: str) -> Attack:
    """Return an attack that posts `body`; `{}` in it, and in the headers, stands for the number of the request."""
    text = json.dumps(body)

    def request(client: httpx.AsyncClient, number: int) -> httpx.Request:
        numbered = {name.replace("_", "-"): value.replace("{}", str(number)) for name, value in headers.items()}
        content = text.replace("{}", str(number)) if "{}" in text else text
        return client.build_request(
            "POST", path, content=content, headers={"Content-Type": "application/json"} | numbered
        )

    return request


ATTACKS = {
    "notes": post("/orders", [NOTE] * 200),
    "notes, each with a key": post("/orders", NOTE, Idempotency_Key="k" * 200 + "{}"),
    "rejected orders with a key": post("/orders", [NOTE, {"type": "note"}] * 100, Idempotency_Key="r{}"),
    "notes with a trace": post("/orders", [NOTE] * 50, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01"),
    "sims": post("/sims", {"id": "sim-{}", "config": {"systems": 2_000}}),
    "forks": post("/fork", {"id": "fork-{}"}),
}


class Attackers:
    """Send requests of every kind at once, until each kind was refused often enough."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.refused: Counter[str] = Counter()
        self.titles: set[str] = set()

    async def run(self) -> None:
        """Send until all kinds were refused."""
        async with asyncio.TaskGroup() as group:
            for name, attack in ATTACKS.items():
                group.create_task(self._repeat(name, attack))

    async def _repeat(self, name: str, attack: Attack) -> None:
        for number in itertools.count():
            if all(self.refused[each] >= REFUSALS for each in ATTACKS):
                return
            response = await self._client.send(attack(self._client, number))
            if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                self.refused[name] += 1
                self.titles.add(response.json()["title"])
            else:
                assert response.status_code in {202, 207, 409, 422}, response.text[:300]


async def test_a_full_redis_recovers(redis: Redis, redis_url: str, processes: Processes) -> None:
    await redis.config_set("maxmemory", MAX_BYTES)
    try:
        await attack_and_recover(redis, redis_url, processes)
    finally:
        await redis.config_set("maxmemory", 0)


async def attack_and_recover(redis: Redis, redis_url: str, processes: Processes) -> None:
    """Start a worker and an open API, attack until all requests are refused, and check that the world ticks."""
    config = SimConfig(systems=60, homes=4, players=("Azure",), puppets=()).model_dump_json()
    worker = processes.start("worker", REDIS_URL=redis_url, SIM_ID="default,*", SIM_CONFIG=config, TICK_DELAY="0.1")
    api = processes.start("api", REDIS_URL=redis_url, RATE_PER_ADDRESS="0", REQUESTS_PER_ADDRESS="0")
    async with httpx.AsyncClient(base_url=api.url, timeout=60) as client:
        attackers = Attackers(client)
        attack = asyncio.create_task(attackers.run())
        largest, ticks = 0, list[int]()
        while not attack.done():
            largest = max(largest, (await redis.info("memory"))["used_memory"])
            ticks.append(int(await redis.hget(SimKeys("default").head, "tick") or 0))
            await asyncio.sleep(0.1)
        await attack
        assert attackers.titles == {"Storage is full"}
        assert largest < MAX_BYTES
        assert ticks[-1] > ticks[0] + 5
        worker.wait_for(lambda health: tick_of(health) > ticks[-1] + 10, "ticking on")
        async with asyncio.timeout(60):
            while (await client.post("/orders", json=NOTE)).status_code != httpx.codes.ACCEPTED:
                await asyncio.sleep(0.1)
    assert "Redis is full" not in worker.log.read_text()
