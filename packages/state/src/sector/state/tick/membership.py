"""Membership: which workers are alive. Each sends heartbeats that expire. It only serves to share sims evenly.

The member has the sims that the worker serves beside its name, since only workers that serve the same sims share them.
"""

from typing import TYPE_CHECKING

from sector.models.deprecated_names import deprecated_names
from sector.state.keys import WORKERS
from sector.state.redis.client import Client
from sector.state.redis.connection import acquire_connection
from sector.state.redis.replies import as_bytes, as_list, checked


async def heartbeat(redis: Client, serves: str, holder: str, ttl_ms: int) -> list[str]:
    """Record that `holder` is alive for `ttl_ms` from now; return all workers that are alive and serve the same sims."""
    async with acquire_connection(redis, WORKERS) as connection:
        (time,) = checked(await connection.pipeline(("TIME",)))
        seconds, microseconds = (int(as_bytes(part) or 0) for part in as_list(time))
        now_ms = seconds * 1000 + microseconds // 1000
        *_, members, late = checked(
            await connection.pipeline(
                ("ZREMRANGEBYSCORE", WORKERS, "-inf", now_ms),
                ("ZADD", WORKERS, now_ms + ttl_ms, _member(serves, holder)),
                ("ZRANGE", WORKERS, 0, -1),
                ("ZRANGE", WORKERS, f"({now_ms + ttl_ms}", "+inf", "BYSCORE"),
            )
        )
        if ahead := [as_bytes(member) or b"" for member in as_list(late)]:
            # Redis' clock was set back since their heartbeat. Those that are alive send another.
            scored = [word for member in ahead for word in (now_ms + ttl_ms, member)]
            checked(await connection.pipeline(("ZADD", WORKERS, "XX", "LT", *scored)))
    texts = [(as_bytes(member) or b"").decode(errors="replace").rpartition(" ") for member in as_list(members)]
    return [name for sims, _, name in texts if sims == serves]


async def deregister(redis: Client, serves: str, holder: str) -> None:
    """Remove `holder` from the members."""
    async with acquire_connection(redis, WORKERS) as connection:
        checked(await connection.pipeline(("ZREM", WORKERS, _member(serves, holder))))


def _member(serves: str, holder: str) -> str:
    return f"{serves} {holder}"


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"sign": "heartbeat", "leave": "deregister"})
