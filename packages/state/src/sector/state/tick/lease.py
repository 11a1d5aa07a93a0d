"""The lease of a sim: its holder may commit ticks until the lease expires, and is fenced afterwards.

Its token is `epoch:holder:nonce`. The epoch grows with each acquisition, and is written to the head in the same transaction:
a transaction that watches the head of an earlier epoch can no longer commit. A holder is a worker's name, or `name:process`, which tells
two processes of one name apart.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sector.state.errors import LeaseLost
from sector.state.keys import SimKeys
from sector.state.redis.client import Client
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import acquire_connection, execute, mget
from sector.state.redis.replies import as_bytes, checked


@dataclass(frozen=True, slots=True)
class Lease:
    """An acquired lease. `token` is the value of the lease key while it is held."""

    sim_id: str
    epoch: int
    token: str
    ttl_ms: int

    def renewal(self) -> Command:
        """Return the command that renews it for its full TTL from now. It is safe only under WATCH."""
        return ("PEXPIRE", SimKeys(self.sim_id).lease, self.ttl_ms)


def worker_of(token: bytes | None) -> str | None:
    """Return the name of the worker in a token, or None."""
    holder = holder_of(token)
    return None if holder is None else holder.split(":")[0]


def holder_of(token: bytes | None) -> str | None:
    """Return the holder in a token, or None."""
    if token is None or token.count(b":") < 2:
        return None
    return token.decode(errors="replace").partition(":")[2].rpartition(":")[0]


async def holders(redis: Client, sim_ids: Sequence[str]) -> list[str | None]:
    """Return the holder of the lease of each sim, None where it is free. One round trip, or one for each node of a cluster."""
    tokens = await mget(redis, [SimKeys(sim_id).lease for sim_id in sim_ids])
    return [None if token is None else holder_of(token) or "unknown" for token in tokens]


async def acquire(redis: Client, sim_id: str, holder: str, ttl_ms: int) -> Lease | None:
    """Acquire the lease if it is free. Returns None while another worker holds it."""
    keys = SimKeys(sim_id)
    async with acquire_connection(redis, keys.lease) as connection:
        _, held, epoch = checked(
            await connection.pipeline(
                ("WATCH", keys.lease, keys.head), ("GET", keys.lease), ("HGET", keys.head, "epoch")
            )
        )
        if held is not None:
            checked(await connection.pipeline(("UNWATCH",)))
            return None
        lease = _new_lease(sim_id, int(as_bytes(epoch) or 0) + 1, holder, ttl_ms)
        *_, done = checked(
            await connection.pipeline(
                ("MULTI",),
                ("SET", keys.lease, lease.token, "NX", "PX", ttl_ms),
                ("HSET", keys.head, "epoch", lease.epoch),
                ("EXEC",),
            )
        )
        return lease if done is not None else None


def _new_lease(sim_id: str, epoch: int, holder: str, ttl_ms: int) -> Lease:
    return Lease(sim_id, epoch, f"{epoch}:{holder}:{secrets.token_hex(8)}", ttl_ms)


async def renew(redis: Client, lease: Lease) -> None:
    """Renew the lease for its full TTL from now. Raises LeaseLost if it is no longer ours."""
    await _while_held(redis, lease, lease.renewal())


async def shorten(redis: Client, sim_ids: Sequence[str], ttl_ms: int) -> None:
    """Limit the leases of sims to `ttl_ms` from now, so that the lease of a worker that is gone expires.

    A lease lasts longer only where Redis' clock was set back, or another program wrote the key. A live holder renews it.
    """
    for sim_id in sim_ids:
        await execute(redis, "PEXPIRE", SimKeys(sim_id).lease, ttl_ms, "LT")


async def release(redis: Client, lease: Lease) -> None:
    """Release the lease, so that another worker need not wait until it expires. Raises LeaseLost if it is no longer ours."""
    await _while_held(redis, lease, ("DEL", SimKeys(lease.sim_id).lease))


async def _while_held(redis: Client, lease: Lease, command: Command) -> None:
    key = SimKeys(lease.sim_id).lease
    async with acquire_connection(redis, key) as connection:
        _, held = checked(await connection.pipeline(("WATCH", key), ("GET", key)))
        token = as_bytes(held)
        if token != lease.token.encode():
            checked(await connection.pipeline(("UNWATCH",)))
            raise LeaseLost(lease.sim_id, worker_of(token))
        *_, done = checked(await connection.pipeline(("MULTI",), command, ("EXEC",)))
        if done is None:
            raise LeaseLost(lease.sim_id, None)
