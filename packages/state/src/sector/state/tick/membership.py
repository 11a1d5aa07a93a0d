"""The roster: which workers are there. Each signs for a time, as with a lease of its own; it only serves to share sims evenly.

What a worker serves stands beside its name, since only workers that serve the same sims share them.
"""

from sector.state.keys import WORKERS
from sector.state.redis.client import Client
from sector.state.redis.connection import acquire_connection
from sector.state.redis.replies import as_bytes, as_list, checked


async def sign(redis: Client, serves: str, holder: str, ttl_ms: int) -> list[str]:
    """Note that `holder` is there for `ttl_ms` from now; return all that are there and serve the same."""
    async with acquire_connection(redis, WORKERS) as connection:
        (time,) = checked(await connection.pipeline(("TIME",)))
        seconds, microseconds = (int(as_bytes(part) or 0) for part in as_list(time))
        now_ms = seconds * 1000 + microseconds // 1000
        *_, members, too_late = checked(
            await connection.pipeline(
                ("ZREMRANGEBYSCORE", WORKERS, "-inf", now_ms),
                ("ZADD", WORKERS, now_ms + ttl_ms, _member(serves, holder)),
                ("ZRANGE", WORKERS, 0, -1),
                ("ZRANGE", WORKERS, f"({now_ms + ttl_ms}", "+inf", "BYSCORE"),
            )
        )
        if ahead := [as_bytes(member) or b"" for member in as_list(too_late)]:
            # Redis' clock was set back since they signed. Those that are there sign again.
            scored = [word for member in ahead for word in (now_ms + ttl_ms, member)]
            checked(await connection.pipeline(("ZADD", WORKERS, "XX", "LT", *scored)))
    named = [(as_bytes(member) or b"").decode(errors="replace").rpartition(" ") for member in as_list(members)]
    return [name for served, _, name in named if served == serves]


async def leave(redis: Client, serves: str, holder: str) -> None:
    """Note that `holder` is gone."""
    async with acquire_connection(redis, WORKERS) as connection:
        checked(await connection.pipeline(("ZREM", WORKERS, _member(serves, holder))))


def _member(serves: str, holder: str) -> str:
    return f"{serves} {holder}"
