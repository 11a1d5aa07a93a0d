"""A Redis with a full disk: the viz reports it, serves reads, and recovers."""

import httpx
from redis.asyncio import Redis

from fixtures.own_valkey import OwnValkey
from fixtures.processes import Processes
from fixtures.sim import Sim
from sector.state.redis.client import connect


async def test_a_full_disk_of_redis_is_reported_as_its_error(processes: Processes, own_valkey: OwnValkey) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    assert isinstance(redis, Redis)
    await Sim.create(redis)
    viz = processes.start("viz", REDIS_URL=own_valkey.url)
    await own_valkey.fail_disk(redis)
    viz.wait_for_fault("redis", "it cannot write to its disk")
    viz.wait_until(ready=False)
    assert httpx.get(f"{viz.url}/").status_code == 200
    assert httpx.get(f"{viz.url}/sims").status_code == 200
    await own_valkey.mend_disk(redis)
    viz.wait_until(ready=True)
    await redis.aclose()
