"""sector-client against a real API."""

import asyncio

import pytest
from redis.asyncio import Redis

from fixtures.own_valkey import OwnValkey
from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_stream
from fixtures.tokens import SECRET, create_token
from sector.client import Client, Gap, RequestRejected
from sector.models import AddFleet, Event, Join, Note
from sector.state.keys import SimKeys
from sector.state.redis.client import connect

NOTE = Note(faction="Crimson", text="hello")


def _tick(event: Event | Gap) -> int:
    assert not isinstance(event, Gap)
    return event.tick


@pytest.fixture
def api_settings() -> dict[str, str]:
    return {"AUTH_SECRET": SECRET}


async def test_the_client_submits_orders(api: Service, sim: Sim) -> None:
    async with Client(api.url, token=create_token("Me", "Crimson")) as client:
        assert (await client.snapshot()).tick == 0
        order_id = await client.order(Join(faction="Me"))
        waiting = asyncio.create_task(client.outcome(order_id, wait_s=30))
        await sim.tick()
        outcome = await waiting
        assert (outcome.status, outcome.tick) == ("applied", 1)
        assert outcome.events[0].type == "faction_joined"
        api.wait_for(lambda health: health.get("tick", -1) == 1, "at tick 1")
        now = await client.snapshot()
        assert now.tick == 1
        assert await client.snapshot() is now
        assert (await client.snapshot(tick=0)).tick == 0
        accepted, foreign, wrong = await client.orders(
            [NOTE, Note(faction="Azure", text="x"), AddFleet(faction="Me", system="S999", ships=1)]
        )
        assert isinstance(accepted, str)
        assert isinstance(foreign, RequestRejected)
        assert isinstance(wrong, RequestRejected)
        assert (foreign.problem.status, wrong.problem.status) == (403, 422)


async def test_the_client_reads_and_follows_events(api: Service, sim: Sim) -> None:
    async with Client(api.url) as client:
        stream = client.follow(kinds=["note"])
        first = asyncio.ensure_future(anext(stream))
        await asyncio.to_thread(api.wait_for, lambda health: health["streams"] == 1, "streaming")
        await sim.tick(NOTE)
        event = await first
        assert event == (await client.events(kinds=["note"])).events[0]
        for _ in range(20):
            await sim.tick(NOTE)
        await asyncio.to_thread(api.wait_for, lambda health: health.get("tick", -1) == 21, "at tick 21")
        late = client.follow(after="2-0", kinds=["note"])
        assert await anext(late) == Gap("2-0", 11)
        page = await client.events(after="15-0", faction="Crimson", kinds=["note"], limit=3)
        assert (page.more, [each.tick for each in page.events]) == (True, [16, 17, 18])


async def test_the_client_requests_and_lists_sims(api: Service, sim: Sim) -> None:
    await sim.tick(times=3)
    async with Client(api.url, token=create_token(scope="admin")) as client:
        assert (await client.create_sim("mine", CONFIG)).status == "founding"
        assert (await client.fork("what-if", tick=2)).status == "founding"
        assert [each.id for each in (await client.sims()).sims] == ["default", "mine", "what-if"]
        assert (await client.sim("default")).config == CONFIG
        assert (await client.sim()).id == "default"
        assert (await client.sim("mine")).status == "founding"
        with pytest.raises(RequestRejected, match="404 The sim does not exist"):
            await client.sim("nowhere")


async def test_an_order_survives_an_unreachable_redis(processes: Processes, own_valkey: OwnValkey) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    await Sim.create(redis)
    api = processes.start("api", REDIS_URL=own_valkey.url)
    async with Client(api.url, retry_timeout_s=120) as client:
        own_valkey.kill()
        ordering = asyncio.create_task(client.order(NOTE))
        await asyncio.to_thread(api.wait_until, ready=False)
        assert not ordering.done()
        own_valkey.start()
        order_id = await ordering
    await redis.aclose()
    redis = connect(own_valkey.url)
    assert [entry_id for entry_id, _ in await read_stream(redis, SimKeys("default").orders)] == [order_id]
    await redis.aclose()


async def test_a_stream_loses_no_event_when_its_api_is_replaced(
    sim: Sim, redis: Redis, redis_url: str, processes: Processes
) -> None:
    assert redis is not None
    api = processes.start("api", REDIS_URL=redis_url)
    async with Client(api.url, retry_timeout_s=120) as client:
        stream = client.follow(kinds=["note"])
        first = asyncio.ensure_future(anext(stream))
        await asyncio.to_thread(api.wait_for, lambda health: health["streams"] == 1, "streaming")
        await sim.tick(NOTE)
        assert _tick(await first) == 1
        following = asyncio.ensure_future(anext(stream))
        await asyncio.to_thread(api.end)
        await sim.tick(NOTE)
        await asyncio.to_thread(processes.start, "api", wait=False, REDIS_URL=redis_url, PORT=str(api.port))
        assert _tick(await following) == 2
