"""Limits by the memory of Redis: from which share in use it retains less history, and rejects orders and new sims.

A full Redis rejects every write, even those of ticks. So a part of its memory is reserved for ticks, which players
cannot fill.
"""

from typing import NamedTuple

from redis.exceptions import ResponseError

from sector.state.errors import StorageFull
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import Connection
from sector.state.redis.replies import Reply, as_bytes

SIMS_REFUSED_AT = 0.4
"""The share of memory from which no sim is created. A sim can at least double its size after its creation."""
HISTORY_SHRINKS_AT = 0.7
"""The share of memory from which sims retain less history than their limit."""
ORDERS_REFUSED_AT = 0.85
"""The share of memory from which orders are rejected, and sims retain only two keyframes and the ticks after the first
of them.
"""

MEMORY_COMMAND: Command = ("INFO", "memory")


class MemoryUse(NamedTuple):
    """The bytes that Redis uses, and its `maxmemory`, which is 0 if it has no limit or does not show it."""

    used_bytes: int
    max_bytes: int

    @property
    def share(self) -> float:
        """The share of memory in use, from 0. It is 0 without a limit."""
        return self.used_bytes / self.max_bytes if self.max_bytes else 0.0

    def history_limit(self, max_bytes: int) -> int:
        """Return how many bytes of history a sim may retain now.

        The result decreases from `max_bytes` to 0 as Redis fills up.
        """
        room = (ORDERS_REFUSED_AT - self.share) / (ORDERS_REFUSED_AT - HISTORY_SHRINKS_AT)
        return int(max_bytes * min(max(room, 0.0), 1.0))


NO_LIMIT = MemoryUse(0, 0)


def memory_use(reply: Reply) -> MemoryUse:
    """Return the memory use in the reply to `MEMORY_COMMAND`.

    If the user lacks the right to it, the result has no limit.
    """
    if isinstance(reply, ResponseError):
        return NO_LIMIT
    fields = dict(line.partition(b":")[::2] for line in (as_bytes(reply) or b"").splitlines())
    return MemoryUse(int(fields.get(b"used_memory", b"0")), int(fields.get(b"maxmemory", b"0")))


async def check_room_for_sim(connection: Connection) -> None:
    """Raise StorageFull if the Redis of this connection has no memory for another sim.

    Raises redis.exceptions.RedisError.
    """
    (reply,) = await connection.pipeline(MEMORY_COMMAND)
    if (use := memory_use(reply)).share >= SIMS_REFUSED_AT:
        raise StorageFull("sim", use.used_bytes, use.max_bytes)
