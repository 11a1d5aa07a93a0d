"""ORDER_DURABILITY: an order is acknowledged once it is as durable as configured, and /health describes it."""

import httpx
from redis.asyncio import Redis

from fixtures.orders import NOTE
from fixtures.own_valkey import OwnValkey
from fixtures.processes import Processes
from fixtures.sim import Sim
from fixtures.stored_values import read_stream
from sector.state.keys import SimKeys
from sector.state.redis.client import connect


async def test_an_order_without_confirmed_durability_is_not_acknowledged(
    sim: Sim, redis: Redis, redis_url: str, processes: Processes
) -> None:
    assert (await sim.reader.head()).tick == 0
    api = processes.start(
        "api", wait=False, REDIS_URL=redis_url, ORDER_DURABILITY="replica", DURABILITY_TIMEOUT_MS="50"
    )
    api.wait_for_fault("durability", "not on a replica within")
    answer = httpx.post(f"{api.url}/orders", json=NOTE)
    assert (answer.status_code, answer.json()["title"]) == (503, "Not durable")
    ((order_id, _),) = await read_stream(redis, SimKeys("default").orders)
    assert order_id in answer.json()["detail"]


async def test_a_503_names_the_orders_that_are_not_durable(
    sim: Sim, redis: Redis, redis_url: str, processes: Processes
) -> None:
    """The timeout is longer than that of any other command."""
    assert (await sim.reader.head()).tick == 0
    api = processes.start(
        "api", wait=False, REDIS_URL=redis_url, ORDER_DURABILITY="replica", DURABILITY_TIMEOUT_MS="3500"
    )
    api.wait_for_fault("durability", "not on a replica within")
    answer = httpx.post(f"{api.url}/orders", json=NOTE, timeout=60)
    assert (answer.status_code, answer.json()["title"]) == (503, "Not durable")
    ((order_id, _),) = await read_stream(redis, SimKeys("default").orders)
    assert order_id in answer.json()["detail"]


async def test_an_acknowledged_order_on_disk_survives_a_crash(processes: Processes, own_valkey: OwnValkey) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    await Sim.create(redis)
    api = processes.start("api", REDIS_URL=own_valkey.url, ORDER_DURABILITY="aof")
    health = httpx.get(f"{api.url}/health").json()
    assert health["durability"] == "aof"
    assert "survives a restart of Redis, but not" in health["promise"]
    given = [httpx.post(f"{api.url}/orders", json=NOTE).json()["id"] for _ in range(20)]
    own_valkey.kill()
    own_valkey.start()
    await redis.aclose()
    redis = connect(own_valkey.url)
    assert [order_id for order_id, _ in await read_stream(redis, SimKeys("default").orders)] == given
    await redis.aclose()
