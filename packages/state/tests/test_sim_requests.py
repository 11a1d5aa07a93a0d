"""Creation on request: a process without the right to create sims stores a request, and a worker creates the sim."""

import pytest
from redis.asyncio import Redis
from rivals import run_before_command

from fixtures.sim import CONFIG, Sim
from fixtures.users import as_user
from sector.state.errors import SimExists
from sector.state.keys import SimKeys
from sector.state.redis.client import connect
from sector.state.sims import lifecycle, requests
from sector.state.sims.requests import ForkOf, SimRequest
from sector.state.watch.reader import SimReader
from sector.world import SectorWorld

WISH = SimRequest(config=CONFIG)


async def test_the_api_requests_a_sim_and_the_worker_creates_it(redis: Redis, redis_url: str) -> None:
    api, worker = (connect(as_user(redis_url, user)) for user in ("api", "worker"))
    await requests.request_sim(api, "mine", WISH)
    assert await lifecycle.list_ids(api) == ["mine"]
    assert await requests.get_request(api, "mine") == WISH
    assert await requests.reconcile(worker, "mine", SectorWorld()) == "created on request"
    assert (await lifecycle.load_manifest(redis, "mine"))[0] == CONFIG
    assert await requests.get_request(api, "mine") is None
    assert await requests.reconcile(worker, "mine", SectorWorld()) is None
    await api.aclose()
    await worker.aclose()


async def test_a_sim_that_exists_or_was_requested_cannot_be_requested(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).tick == 0
    await requests.request_sim(redis, "mine", WISH)
    for sim_id in ("mine", "default"):
        with pytest.raises(SimExists):
            await requests.request_sim(redis, sim_id, WISH)
    assert await requests.reconcile(redis, "default", SectorWorld()) is None
    assert (await sim.reader.head()).tick == 0


@pytest.mark.parametrize("moment", ["WATCH", "MULTI"])
@pytest.mark.parametrize("earlier", [None, SimRequest(fault="it failed")], ids=["a new sim", "a failed request"])
async def test_one_of_two_concurrent_requests_is_rejected(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, earlier: SimRequest | None, moment: str
) -> None:
    if earlier is not None:
        await redis.set(SimKeys("mine").request, earlier.model_dump_json(exclude_unset=True))

    async def request_first() -> None:
        await requests.request_sim(redis, "mine", WISH)

    run_before_command(monkeypatch, moment, request_first)
    with pytest.raises(SimExists):
        await requests.request_sim(redis, "mine", SimRequest(fork_of=ForkOf(sim="default", tick=0)))
    assert await requests.get_request(redis, "mine") == WISH


async def test_a_request_is_done_if_another_worker_creates_the_sim(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).tick == 0
    await requests.request_sim(redis, "mine", SimRequest(fork_of=ForkOf(sim="default", tick=0)))
    await lifecycle.create(redis, "mine", SectorWorld(), CONFIG.model_copy(update={"systems": 30}))
    assert await requests.reconcile(redis, "mine", SectorWorld()) is None
    assert await requests.get_request(redis, "mine") is None
    assert await lifecycle.list_ids(redis) == ["default", "mine"]
    assert (await lifecycle.load_manifest(redis, "mine"))[0].systems == 30


async def test_a_fork_begins_at_the_requested_tick(sim: Sim, redis: Redis, redis_url: str) -> None:
    worker = connect(as_user(redis_url, "worker"))
    await sim.tick(times=7)
    await requests.request_sim(redis, "what-if", SimRequest(fork_of=ForkOf(sim="default", tick=6)))
    assert await requests.reconcile(worker, "what-if", SectorWorld()) == "forked from default at tick 6"
    assert (await SimReader(redis, "what-if").head()).tick == 6
    await worker.aclose()


async def test_a_failed_request_has_the_reason_and_can_be_replaced(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=3)
    await requests.request_sim(redis, "mine", SimRequest(fork_of=ForkOf(sim="default", tick=9)))
    assert "tick 9" in str(await requests.reconcile(redis, "mine", SectorWorld()))
    failed = await requests.get_request(redis, "mine")
    assert failed is not None
    assert failed.fault == "tick 9 of sim 'default' is not in its history: read a tick within the retention"
    assert await lifecycle.list_ids(redis) == ["default"]
    await requests.request_sim(redis, "mine", WISH)
    assert await requests.reconcile(redis, "mine", SectorWorld()) == "created on request"
