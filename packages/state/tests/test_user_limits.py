"""docker/users.acl: what each user of Redis must not do. Tests of the services show that each user can do its work."""

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from fixtures.admission import admit_group
from fixtures.sim import Sim
from fixtures.users import as_user
from sector.state.keys import SIMS, WORKERS, SimKeys
from sector.state.log.admission import AdmissionPolicy, Admitted, Rate, Request
from sector.state.redis.client import connect
from sector.state.redis.connection import execute
from sector.state.watch.reader import SimReader

KEYS = SimKeys("default")
WRITES = [
    ("SET", KEYS.snapshot, "x"),
    ("SET", KEYS.lease, "x"),
    ("HSET", KEYS.head, "tick", "9"),
    ("XADD", KEYS.events, "*", "a", "b"),
    ("DEL", KEYS.orders),
    ("SREM", SIMS, "x"),
    ("SET", KEYS.config, "x"),
    ("ZADD", WORKERS, "1", "x"),
]


@pytest.mark.parametrize("user", ["api", "viz"])
async def test_a_user_that_reads_a_sim_cannot_write_it(sim: Sim, redis_url: str, user: str) -> None:
    client = connect(as_user(redis_url, user))
    assert (await SimReader(client, "default").view()).head == (await sim.reader.head()).info()
    for write in WRITES:
        with pytest.raises(NoPermissionError):
            await execute(client, *write)
    await client.aclose()


async def test_the_api_may_append_orders_and_the_viz_may_not(sim: Sim, redis_url: str) -> None:
    assert (await sim.reader.head()).tick == 0
    api, viz = connect(as_user(redis_url, "api")), connect(as_user(redis_url, "viz"))
    request = Request("me", [b"1"], rates=(Rate("token me", 1, 1),), key="once")
    (admitted,) = await admit_group(AdmissionPolicy("default", max_pending=10), api, [request])
    assert isinstance(admitted, Admitted)
    with pytest.raises(NoPermissionError):
        await admit_group(AdmissionPolicy("default"), viz, [request])
    await api.aclose()
    await viz.aclose()


@pytest.mark.parametrize("user", ["api", "viz", "worker", "operator"])
async def test_no_user_may_access_keys_outside_of_sector(redis: Redis, redis_url: str, user: str) -> None:
    await redis.set("foreign", "x")
    client = connect(as_user(redis_url, user))
    for command in (
        ("GET", "foreign"),
        ("FLUSHALL", "SYNC"),
        ("CONFIG", "GET", "save"),
        ("KEYS", "*"),
        ("ACL", "LIST"),
    ):
        with pytest.raises(NoPermissionError):
            await execute(client, *command)
    await client.aclose()


async def test_a_wrong_password_is_rejected(redis: Redis, redis_url: str) -> None:
    assert await redis.ping()
    client = connect(as_user(redis_url, "nobody"))
    with pytest.raises(AuthenticationError):
        await execute(client, "GET", KEYS.head)
    await client.aclose()
