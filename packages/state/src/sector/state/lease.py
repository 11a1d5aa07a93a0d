"""The lease of a sim: who holds it may tick, for as long as it lasts, and is fenced off afterwards.

Its token is `epoch:holder:nonce`. The epoch grows with each acquisition, and is written to the head in the same transaction:
whoever watches the head of the epoch before can no longer commit.
"""

import secrets
from dataclasses import dataclass

from redis.asyncio import Redis

from sector.state.connect import Link, as_bytes, borrowed, checked
from sector.state.errors import LeaseLost
from sector.state.keys import SimKeys


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as acquired. `token` is what lies at the lease key while it holds."""

    sim_id: str
    epoch: int
    token: str
    ttl_ms: int


def holder_of(token: bytes | None) -> str | None:
    """Return the worker named in a token, or None."""
    return token.decode(errors="replace").split(":")[1] if token and token.count(b":") >= 2 else None


async def acquire(redis: Redis, sim_id: str, worker_id: str, ttl_ms: int) -> Lease | None:
    """Take the lease if it is free. Returns None while another holds it."""
    keys = SimKeys(sim_id)
    async with borrowed(redis) as link:
        _, held, epoch = checked(
            await link.exchange(("WATCH", keys.lease, keys.head), ("GET", keys.lease), ("HGET", keys.head, "epoch"))
        )
        if held is not None:
            await link.exchange(("UNWATCH",))
            return None
        lease = _new_lease(sim_id, int(as_bytes(epoch) or 0) + 1, worker_id, ttl_ms)
        *_, done = checked(
            await link.exchange(
                ("MULTI",),
                ("SET", keys.lease, lease.token, "NX", "PX", ttl_ms),
                ("HSET", keys.head, "epoch", lease.epoch),
                ("EXEC",),
            )
        )
        return lease if done is not None else None


def _new_lease(sim_id: str, epoch: int, worker_id: str, ttl_ms: int) -> Lease:
    return Lease(sim_id, epoch, f"{epoch}:{worker_id.replace(':', '-')}:{secrets.token_hex(8)}", ttl_ms)


async def renew(redis: Redis, lease: Lease) -> None:
    """Let the lease last its full TTL from now. Raises LeaseLost if it is no longer ours."""
    await _while_held(redis, lease, ("PEXPIRE", SimKeys(lease.sim_id).lease, lease.ttl_ms))


async def release(redis: Redis, lease: Lease) -> None:
    """Give the lease back, so that another worker need not wait for it to lapse. Raises LeaseLost if it is no longer ours."""
    await _while_held(redis, lease, ("DEL", SimKeys(lease.sim_id).lease))


async def _while_held(redis: Redis, lease: Lease, command: tuple[str | int, ...]) -> None:
    async with borrowed(redis) as link:
        token = await watch_token(link, lease)
        if token != lease.token.encode():
            await link.exchange(("UNWATCH",))
            raise LeaseLost(lease.sim_id, holder_of(token))
        *_, done = checked(await link.exchange(("MULTI",), command, ("EXEC",)))
        if done is None:
            raise LeaseLost(lease.sim_id, None)


async def watch_token(link: Link, lease: Lease) -> bytes | None:
    """Watch the lease key and return what lies there."""
    key = SimKeys(lease.sim_id).lease
    _, token = checked(await link.exchange(("WATCH", key), ("GET", key)))
    return as_bytes(token)
