"""Redis unavailable at the start or later, or full: /health reports it, and the API recovers."""

import httpx
import pytest
from redis.asyncio import Redis

from fixtures.orders import NOTE
from fixtures.own_valkey import OwnValkey
from fixtures.processes import Processes, free_port
from fixtures.sim import Sim
from fixtures.stored_values import read_stream
from fixtures.waiting import wait_until
from sector.state.keys import SimKeys
from sector.state.redis.client import connect


async def test_the_api_starts_without_redis_and_becomes_ready(processes: Processes, own_valkey: OwnValkey) -> None:
    api = processes.start("api", wait=False, REDIS_URL=own_valkey.url)
    api.wait_until(ready=False)
    for method, path in (("GET", "/snapshot"), ("GET", "/events"), ("POST", "/orders")):
        answer = httpx.request(method, f"{api.url}{path}", json=NOTE if method == "POST" else None)
        assert answer.status_code == 503
        assert answer.json()["title"] == "Redis is unavailable"
        assert answer.headers["retry-after"] == "1"
    own_valkey.start()
    api.wait_for_fault("sim", "sim 'default' does not exist")
    assert httpx.get(f"{api.url}/snapshot").json()["title"] == "The sim does not exist yet"
    redis = connect(own_valkey.url)
    await Sim.create(redis)
    await redis.aclose()
    api.wait_until(ready=True)
    assert httpx.get(f"{api.url}/snapshot").status_code == 200


async def test_the_api_recovers_when_redis_returns(processes: Processes, own_valkey: OwnValkey) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    await Sim.create(redis)
    await redis.aclose()
    api = processes.start("api", REDIS_URL=own_valkey.url)
    own_valkey.stop()
    api.wait_until(ready=False)
    assert httpx.post(f"{api.url}/orders", json=NOTE).status_code == 503
    assert httpx.get(f"{api.url}/health/live").status_code == 200
    own_valkey.start()
    api.wait_until(ready=True)
    assert httpx.post(f"{api.url}/orders", json=NOTE).status_code == 202
    wait_until(lambda: api.log.read_text().count('"condition ok","condition":"redis"') == 2, "both lines")
    assert (
        api.log.read_text().count("condition failed, retrying") <= 4
    ), "a fault is logged once per change, not once per retry"


async def test_a_full_redis_refuses_orders_and_serves_reads(
    sim: Sim, redis: Redis, redis_url: str, processes: Processes
) -> None:
    api = processes.start("api", REDIS_URL=redis_url)
    await redis.config_set("maxmemory", "1")
    try:
        answer = httpx.post(f"{api.url}/orders", json=NOTE)
        assert answer.status_code == 503
        assert "reserved for ticks" in answer.json()["detail"]
        assert httpx.get(f"{api.url}/snapshot").status_code == 200
    finally:
        await redis.config_set("maxmemory", "0")
    assert httpx.post(f"{api.url}/orders", json=NOTE).status_code == 202
    assert len(await read_stream(redis, SimKeys("default").orders)) == 1
    assert (await sim.tick()).orders == 1


async def test_a_redis_that_refuses_writes_is_reported_until_it_recovers(
    processes: Processes, own_valkey: OwnValkey
) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    assert isinstance(redis, Redis)
    sim = await Sim.create(redis)
    api = processes.start("api", REDIS_URL=own_valkey.url)
    await own_valkey.fail_disk(redis)
    health = api.wait_for(lambda health: not health["conditions"]["redis"]["ok"], "without a disk")
    assert health["ready"] is False
    error = "Redis rejects writes, because it cannot write to its disk: free space on its disk"
    assert health["conditions"]["redis"]["error"] == error
    assert httpx.post(f"{api.url}/orders", json=NOTE).status_code == 503
    assert httpx.get(f"{api.url}/snapshot").status_code == 200
    await own_valkey.mend_disk(redis)
    api.wait_until(ready=True)
    assert httpx.post(f"{api.url}/orders", json=NOTE).status_code == 202
    assert (await sim.tick()).orders == 1
    await redis.aclose()


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [("maxmemory", "1", "Redis is full"), ("min-replicas-to-write", "1", "it has too few replicas")],
)
async def test_each_reason_to_refuse_writes_is_in_health(
    name: str, value: str, fault: str, sim: Sim, redis: Redis, redis_url: str, processes: Processes
) -> None:
    api = processes.start("api", REDIS_URL=redis_url)
    await redis.config_set(name, value)
    try:
        api.wait_for_fault("redis", fault)
        # A successful read of a tick does not end the error of writes.
        api.wait_until(ready=False)
    finally:
        await redis.config_set(name, "0")
    api.wait_until(ready=True)
    assert (await sim.tick()).head.tick == 1
    assert await redis.keys("*:rate:*") == [], "the probe leaves nothing"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "0", "wrong setting PORT='0'"),
        ("REDIS_URL", "http://somewhere", "wrong setting REDIS_URL='http://somewhere'"),
        ("SIM_ID", "Not This", "wrong setting SIM_ID='Not This'"),
        ("MAX_BODY_BYTES", "many", "wrong setting MAX_BODY_BYTES='many'"),
        ("RATE_PER_TOKEN", "1e-9", "wrong setting RATE_PER_TOKEN='1e-9': 1e-09 is below 0.001"),
        ("RATE_PER_ADDRESS", "-1", "wrong setting RATE_PER_ADDRESS='-1'"),
        ("CORS_ORIGINS", "example.org", "wrong setting CORS_ORIGINS='example.org'"),
        ("ACCESS_LOG", "some", "wrong setting ACCESS_LOG='some'"),
        ("AUTH_JWKS", "/nowhere", "wrong setting AUTH_JWKS='/nowhere'"),
        ("REQUEST_TIMEOUT_S", "0", "wrong setting REQUEST_TIMEOUT_S='0'"),
        ("SHUTDOWN_DELAY_S", "-1", "wrong setting SHUTDOWN_DELAY_S='-1'"),
    ],
)
def test_an_invalid_setting_exits_with_2_and_one_line(
    processes: Processes, name: str, value: str, expected: str
) -> None:
    api = processes.start("api", wait=False, **{"PORT": str(free_port()), name: value})
    assert api.process.wait(timeout=60) == 2
    (line,) = api.log.read_text().splitlines()
    assert line.startswith(expected)
    assert "Allowed: " in line


@pytest.mark.parametrize(
    ("share", "path", "body"),
    [
        (0.9, "/orders", NOTE),
        (0.9, "/orders", [NOTE, {"type": "note"}]),
        (0.5, "/sims", {"id": "new"}),
        (0.5, "/fork", {"id": "new"}),
    ],
)
async def test_nearly_full_memory_is_reported_with_its_reason(
    sim: Sim, redis: Redis, redis_url: str, processes: Processes, share: float, path: str, body: object
) -> None:
    api = processes.start("api", REDIS_URL=redis_url)
    await redis.config_set("maxmemory", int((await redis.info("memory"))["used_memory"] / share))
    try:
        refused = httpx.post(f"{api.url}{path}", json=body)
    finally:
        await redis.config_set("maxmemory", "0")
    assert (refused.status_code, refused.json()["title"]) == (503, "Storage is full")
    assert "reserved for ticks" in refused.json()["detail"]
    assert refused.headers["retry-after"] == "5"
    assert httpx.post(f"{api.url}{path}", json=body).status_code in (202, 207)


async def test_more_sims_than_allowed_are_refused(sim: Sim, redis_url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=redis_url, MAX_SIMS="2")
    assert httpx.post(f"{api.url}/sims", json={"id": "second"}).status_code == 202
    for path in ("/sims", "/fork"):
        refused = httpx.post(f"{api.url}{path}", json={"id": "third"})
        assert (refused.status_code, refused.json()["title"]) == (403, "Sim limit reached")
