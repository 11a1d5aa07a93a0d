"""A compromised API: its password of Redis in hostile hands, with the rights of the user `api` in docker/users.acl.

What ACLs cannot forbid is not among the attempts; docs/guides/operate.md (Users of Redis) says what to do about it: options of `XADD`
(`MAXLEN 0`, the last possible id), orders with the scope of an administrator, values without end at keys that the API writes, and a
script that does not end (`test_user_rights.py` has `SCRIPT KILL` of the operator).
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable

import pytest
from redis.exceptions import AuthenticationError, ResponseError

from hostile.attempt import Attempt, TargetWorld
from sector.state.keys import SIMS, WORKERS, SimKeys
from sector.state.redis.client import connect
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import Connection, acquire_connection, execute

_FOR_S = 3.0
_CLIENTS = 4
_KEYS = SimKeys("default")
_REFUSED = ("permissions", "ACL failure", "not allowed")
_SCRIPT = "return redis.call(unpack(ARGV))"
_SWALLOWED = "redis.pcall(unpack(ARGV)) return 'done'"


def _refused(*commands: Command) -> Callable[[TargetWorld], Awaitable[None]]:
    """Send the commands as the API, again and again over several connections: each is refused, and the world stays as it is."""

    async def send(connection: Connection) -> None:
        for reply in await connection.pipeline(*commands):
            assert isinstance(reply, ResponseError), reply
            assert any(words in str(reply) for words in _REFUSED), reply

    async def act(target: TargetWorld) -> None:
        before = await _types(target)
        await asyncio.gather(*(_repeat(target, send) for _ in range(_CLIENTS)))
        assert await _types(target) == before

    return act


async def _repeat(target: TargetWorld, act: Callable[[Connection], Awaitable[None]]) -> None:
    """Act over a connection of the API, again and again for some seconds."""
    client = connect(target.user_url("api"))
    end_s = time.monotonic() + _FOR_S
    try:
        async with acquire_connection(client, SIMS) as connection:
            while time.monotonic() < end_s:
                await act(connection)
    finally:
        await client.aclose()


async def _types(target: TargetWorld) -> dict[str, object]:
    keys = (SIMS, WORKERS, _KEYS.head, _KEYS.snapshot, _KEYS.map, _KEYS.config, _KEYS.orders, _KEYS.events)
    return {key: await target.redis.type(key) for key in keys}


async def _hide_in_scripts(target: TargetWorld) -> None:
    """Run scripts that hide the refusal of what they call: nothing of it happened."""

    async def send(connection: Connection) -> None:
        for inner in (("DEL", SIMS), ("HSET", _KEYS.head, "epoch", "0"), ("SET", _KEYS.orders, "x"), ("FLUSHALL",)):
            assert await connection.pipeline(("EVAL", _SWALLOWED, 0, *inner)) == [b"done"]

    epoch = await target.redis.hget(_KEYS.head, "epoch")
    await _repeat(target, send)
    assert b"default" in await target.redis.smembers(SIMS)
    assert await target.redis.hget(_KEYS.head, "epoch") == epoch


async def _guess(target: TargetWorld) -> None:
    """Guess passwords of the other users."""
    end_s = time.monotonic() + _FOR_S
    for user in itertools.cycle(("worker", "operator", "keeper")):
        client = connect(target.user_url("api").replace("//api:api@", f"//{user}:{secrets.token_hex(4)}@"))
        with pytest.raises(AuthenticationError):
            await execute(client, "GET", _KEYS.map)
        await client.aclose()
        if time.monotonic() > end_s:
            break


ATTEMPTS = (
    Attempt("a string over the set of sims", _refused(("SET", SIMS, "x"), ("SET", SIMS, "x", "GET"))),
    Attempt("a string over an order log", _refused(("SET", _KEYS.orders, "evil"), ("SADD", _KEYS.orders, "x"))),
    Attempt(
        "a stream over the set of sims",
        _refused(("XADD", SIMS, "*", "a", "b"), ("XADD", SIMS, "MAXLEN", 0, "*", "a", "b")),
    ),
    Attempt(
        "fewer orders",
        _refused(("XTRIM", _KEYS.orders, "MAXLEN", 0), ("XDEL", _KEYS.orders, "1-1"), ("DEL", _KEYS.orders)),
    ),
    Attempt(
        "events that did not happen",
        _refused(("XADD", _KEYS.events, "*", "a", "b"), ("XTRIM", _KEYS.events, "MAXLEN", 0)),
    ),
    Attempt(
        "a state of its own",
        _refused(("SET", _KEYS.snapshot, "x"), ("HSET", _KEYS.head, "tick", 9), ("SET", _KEYS.map, "x")),
    ),
    Attempt(
        "the lease", _refused(("SET", _KEYS.lease, "mine", "NX"), ("DEL", _KEYS.lease), ("PEXPIRE", _KEYS.lease, 1))
    ),
    Attempt(
        "no sims, no workers",
        _refused(("SREM", SIMS, "default"), ("DEL", SIMS), ("ZADD", WORKERS, 1, "x"), ("UNLINK", WORKERS)),
    ),
    Attempt("an empty Redis", _refused(("FLUSHALL",), ("FLUSHDB",), ("SWAPDB", 0, 1), ("SHUTDOWN", "NOSAVE"))),
    Attempt(
        "other rights", _refused(("ACL", "LIST"), ("ACL", "SETUSER", "api", "allkeys"), ("ACL", "DELUSER", "worker"))
    ),
    Attempt(
        "another configuration",
        _refused(("CONFIG", "SET", "maxmemory", 1), ("CONFIG", "GET", "*"), ("CONFIG", "REWRITE")),
    ),
    Attempt(
        "another master",
        _refused(("REPLICAOF", "192.0.2.1", 6379), ("MIGRATE", "192.0.2.1", 6379, "x", 0, 1), ("PSYNC", "?", -1)),
    ),
    Attempt(
        "other connections", _refused(("CLIENT", "PAUSE", 10_000), ("CLIENT", "KILL", "TYPE", "normal"), ("MONITOR",))
    ),
    Attempt(
        "code and modules",
        _refused(("FUNCTION", "LOAD", "#!lua name=x"), ("MODULE", "LOAD", "/data/x.so"), ("DEBUG", "SLEEP", 5)),
    ),
    Attempt(
        "every key", _refused(("KEYS", "*"), ("SCAN", 0), ("RANDOMKEY",), ("DUMP", _KEYS.head), ("GET", "foreign"))
    ),
    Attempt(
        "keys by another name",
        _refused(("RENAME", _KEYS.orders, "x"), ("COPY", _KEYS.head, _KEYS.orders), ("RESTORE", SIMS, 0, "x")),
    ),
    Attempt("scripts on keys of others", _refused(("EVAL", "return 1", 1, SIMS), ("EVAL", "return 1", 1, _KEYS.head))),
    Attempt(
        "scripts with keys that they do not name",
        _refused(("EVAL", _SCRIPT, 0, "DEL", SIMS), ("EVAL", _SCRIPT, 0, "SET", SIMS, "x")),
    ),
    Attempt(
        "scripts that end or replace others",
        _refused(("SCRIPT", "KILL"), ("SCRIPT", "FLUSH"), ("SCRIPT", "LOAD", "return 1")),
    ),
    Attempt("scripts that hide what they were refused", _hide_in_scripts),
    Attempt("passwords of other users", _guess),
)
