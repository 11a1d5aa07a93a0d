"""Memory of Redis: from which share in use on history is shortened, and orders and new sims are refused.

A full Redis refuses every write, those of a tick too. So a part of its memory is reserved for ticks: what players can make it store
ends before.
"""

from typing import NamedTuple

from redis.exceptions import ResponseError

from sector.state.errors import StorageFull
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import Connection
from sector.state.redis.replies import Reply, as_bytes

SIMS_REFUSED_AT = 0.4
"""From this share of memory on, no sim is created. A sim may take twice as much later as when it was created, at least."""
HISTORY_SHRINKS_AT = 0.7
"""From this share on, sims keep less history than they may."""
ORDERS_REFUSED_AT = 0.85
"""From this share on, no order is accepted, and sims keep no more history than two keyframes and what came since."""

MEMORY_COMMAND: Command = ("INFO", "memory")


class MemoryUse(NamedTuple):
    """Bytes that a Redis uses, and its `maxmemory`; 0: it has no limit, or does not show it."""

    used_bytes: int
    max_bytes: int

    @property
    def share(self) -> float:
        """The part that is in use, from 0; 0 if there is no limit."""
        return self.used_bytes / self.max_bytes if self.max_bytes else 0.0

    def history_limit(self, max_bytes: int) -> int:
        """Return how many bytes of history a sim may keep now: `max_bytes`, less as Redis fills up, and at last nothing."""
        room = (ORDERS_REFUSED_AT - self.share) / (ORDERS_REFUSED_AT - HISTORY_SHRINKS_AT)
        return int(max_bytes * min(max(room, 0.0), 1.0))


NO_LIMIT = MemoryUse(0, 0)


def memory_use(reply: Reply) -> MemoryUse:
    """Return what the reply to `MEMORY_COMMAND` says. A Redis that refuses the command is one without a limit."""
    if isinstance(reply, ResponseError):
        return NO_LIMIT
    fields = dict(line.partition(b":")[::2] for line in (as_bytes(reply) or b"").splitlines())
    return MemoryUse(int(fields.get(b"used_memory", b"0")), int(fields.get(b"maxmemory", b"0")))


async def check_room_for_sim(connection: Connection) -> None:
    """Raise StorageFull where the Redis of this connection has no room for another sim. Raises redis.exceptions.RedisError."""
    (reply,) = await connection.pipeline(MEMORY_COMMAND)
    if (use := memory_use(reply)).share >= SIMS_REFUSED_AT:
        raise StorageFull("sim", use.used_bytes, use.max_bytes)
