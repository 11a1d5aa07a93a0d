"""docker/users.acl: which user may run which command on which key, on a real server."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from fixtures.sim import Sim
from fixtures.stored_values import read_string
from fixtures.users import as_user
from sector.state.keys import SIMS, WORKERS, SimKeys
from sector.state.redis.client import Client, connect
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import execute
from sector.state.redis.error_messages import describe

KEYS = SimKeys("default")
ONCE, RATE = KEYS.idempotency_key("me", "k"), KEYS.rate("token me")
LOOP = ("EVAL", "while true do end", 0)
LAST_ID = "18446744073709551615-18446744073709551615"

type Row = tuple[str, Command]

ALLOWED: tuple[Row, ...] = (
    ("api", ("SET", ONCE, "x", "PX", 1000)),
    ("api", ("SET", RATE, "x")),
    ("api", ("SET", KEYS.request, "{}", "NX")),
    ("api", ("SADD", SIMS, "new")),
    ("api", ("XADD", KEYS.orders, "*", "order", "x")),
    ("api", ("EVAL", "return 1", 3, KEYS.orders, RATE, ONCE)),
    ("api", ("XREAD", "COUNT", 1, "STREAMS", KEYS.events, "0")),
    ("api", ("MGET", KEYS.config, KEYS.map)),
    ("api", ("INFO", "memory")),
    ("worker", ("INFO", "memory")),
    ("viz", ("HKEYS", KEYS.keyframes)),
    ("viz", ("WATCH", KEYS.rate("viz:address 10.0.0.1"))),
    ("viz", ("SET", KEYS.rate("viz:address 10.0.0.1"), "1", "PX", 1000)),
    ("api", ("WATCH", RATE)),
    ("api", ("WATCH", KEYS.request)),
    ("worker", ("SET", KEYS.lease, "x", "NX", "PX", 1000)),
    ("worker", ("WATCH", KEYS.lease, KEYS.head, KEYS.events)),
    ("worker", ("ZADD", WORKERS, 1, "x")),
    ("worker", ("XTRIM", KEYS.orders, "MINID", "1")),
    ("operator", ("RENAME", SimKeys.staging_key(KEYS.orders), KEYS.orders)),
    ("operator", ("DEL", *KEYS.all)),
    ("operator", ("SCRIPT", "KILL")),
    ("keeper", ("REPLICAOF", "NO", "ONE")),
    ("probe", ("PING",)),
)

REFUSED: tuple[Row, ...] = (
    # Earlier versions gave the API one list of commands and one of keys. These are the attacks that this allowed.
    ("api", ("SET", SIMS, "x")),
    ("api", ("SET", KEYS.orders, "evil")),
    ("api", ("SADD", KEYS.orders, "x")),
    ("api", ("XADD", SIMS, "*", "a", "b")),
    ("api", ("XADD", ONCE, "*", "a", "b")),
    ("api", ("EVAL", "return 1", 1, SIMS)),
    ("api", ("EVAL", "return 1", 1, KEYS.head)),
    ("api", ("EVALSHA", "0" * 40, 1, KEYS.lease)),
    ("api", ("SCRIPT", "KILL")),
    ("api", ("SCRIPT", "FLUSH")),
    ("api", ("XTRIM", KEYS.orders, "MAXLEN", 0)),
    ("api", ("DEL", KEYS.orders)),
    ("api", ("DEL", ONCE)),
    ("api", ("SREM", SIMS, "default")),
    ("api", ("SET", KEYS.lease, "mine")),
    ("api", ("HSET", KEYS.head, "tick", "9")),
    ("api", ("GET", KEYS.dead_letters)),
    ("api", ("FLUSHALL", "SYNC")),
    ("api", ("CONFIG", "SET", "maxmemory", 1)),
    ("api", ("ACL", "SETUSER", "api", "allkeys")),
    ("api", ("SHUTDOWN", "NOSAVE")),
    ("api", ("RENAME", ONCE, KEYS.orders)),
    ("api", ("INFO", "server")),
    ("worker", ("INFO", "clients")),
    ("viz", ("INFO", "memory")),
    ("viz", ("XREAD", "STREAMS", KEYS.orders, "0")),
    ("viz", ("SET", ONCE, "x")),
    ("viz", ("SET", RATE, "x")),
    ("viz", ("WATCH", KEYS.head)),
    ("viz", ("EVAL", "return 1", 0)),
    ("worker", ("SET", SIMS, "x")),
    ("worker", ("DEL", SIMS)),
    ("worker", ("DEL", KEYS.head)),
    ("worker", ("SET", KEYS.head, "x")),
    ("worker", ("SADD", KEYS.events, "x")),
    ("worker", ("XADD", KEYS.orders, "*", "issuer", "me", "scope", "admin", "order", "{}")),
    ("worker", ("ZADD", SIMS, 1, "x")),
    ("worker", ("SCRIPT", "KILL")),
    ("operator", ("SET", SIMS, "x")),
    ("operator", ("DEL", SIMS)),
    ("operator", ("XADD", KEYS.orders, "*", "a", "b")),
    ("operator", ("DEL", WORKERS)),
    ("operator", ("EVAL", "return 1", 0)),
    ("operator", ("RENAME", KEYS.orders, SIMS)),
    ("keeper", ("GET", KEYS.snapshot)),
    ("keeper", ("CONFIG", "SET", "dir", "/data")),
    ("probe", ("GET", KEYS.snapshot)),
    ("probe", ("INFO", "server")),
)


def format_row(row: Row) -> str:
    return f"{row[0]} {' '.join(map(str, row[1]))}"


@pytest.mark.parametrize("row", ALLOWED, ids=format_row)
async def test_each_user_may_do_its_work(redis: Redis, row: Row) -> None:
    user, command = row
    assert await redis.execute_command("ACL DRYRUN", user, *command) == b"OK"


@pytest.mark.parametrize("row", REFUSED, ids=format_row)
async def test_no_user_may_do_more(redis: Redis, redis_url: str, row: Row) -> None:
    user, command = row
    assert await redis.execute_command("ACL DRYRUN", user, *command) != b"OK"
    client = connect(as_user(redis_url, user))
    with pytest.raises(NoPermissionError):
        await execute(client, *command)
    await client.aclose()


@pytest.mark.parametrize(
    "inner",
    [("SET", SIMS, "x"), ("SET", KEYS.orders, "evil"), ("DEL", KEYS.orders), ("HSET", KEYS.head, "tick", "9")],
    ids=" ".join,
)
async def test_a_script_of_the_api_has_no_more_rights_than_the_api(
    sim: Sim, redis: Redis, redis_url: str, inner: tuple[str, ...]
) -> None:
    before = await sim.reader.head()
    client = connect(as_user(redis_url, "api"))
    with pytest.raises(ResponseError, match="ACL"):
        await execute(client, "EVAL", "return redis.call(unpack(ARGV))", 0, *inner)
    await client.aclose()
    assert await sim.reader.head() == before
    assert await redis.type(SIMS) in (b"set", b"none")


async def test_the_operator_can_end_a_script_that_blocks_redis(redis: Redis, redis_url: str) -> None:
    await redis.config_set("busy-reply-threshold", 50)
    clients = [connect(as_user(redis_url, user)) for user in ("api", "viz", "probe", "operator")]
    api, viz, probe, operator = clients
    await execute(redis, "SET", KEYS.map, "the map")
    endless = asyncio.create_task(execute(api, *LOOP))
    # The liveness probe is this command. It fails while the script runs.
    error = await first_error(probe)
    assert describe(error) == "a script blocks Redis: end it with SCRIPT KILL, as user operator"
    with pytest.raises(NoPermissionError):
        await execute(viz, "SCRIPT", "KILL")
    assert await execute(operator, "SCRIPT", "KILL") == b"OK"
    with pytest.raises(ResponseError):
        await endless
    assert await execute(probe, "PING", "there") == b"there"
    assert await read_string(redis, KEYS.map) == b"the map"
    for client in clients:
        await client.aclose()


async def first_error(client: Client) -> RedisError:
    """Send PING until the reply is an error."""
    async with asyncio.timeout(10):
        while True:
            try:
                await execute(client, "PING", "there")
            except RedisError as error:
                return error
            await asyncio.sleep(0)
