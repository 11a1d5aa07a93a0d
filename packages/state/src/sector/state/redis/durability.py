"""Durability: which failures an acknowledged order survives, and how Redis confirms that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from redis.exceptions import RedisError

from sector.state.errors import NotDurable
from sector.state.keys import SimKeys
from sector.state.redis.client import Client
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import acquire_connection
from sector.state.redis.error_messages import describe
from sector.state.redis.replies import Reply, as_int, as_list

type Kind = Literal["memory", "aof", "replica"]

PROMISES: dict[Kind, str] = {
    "memory": "An acknowledged order is in the memory of Redis: it survives a crash of every Sector process, but not a crash or"
    " failover of Redis.",
    "aof": "An acknowledged order is on the disk of Redis (WAITAOF): it survives a restart of Redis, but not the loss of that disk"
    " or a failover to a replica that lags.",
    "replica": "An acknowledged order is in the memory of Redis and of DURABILITY_REPLICAS replicas (WAIT): it survives a failover"
    " to one of them, but not the loss of all of them or a master that is partitioned.",
}


@dataclass(frozen=True, slots=True)
class Durability:
    """What to wait for after a write.

    Attributes:
        kind: The value of the setting ORDER_DURABILITY. `PROMISES` explains each.
        timeout_ms: How long to wait at most, in milliseconds.
        replicas: How many replicas must confirm, for the kind `replica`.
    """

    kind: Kind
    timeout_ms: int = 1000
    replicas: int = 1

    def wait(self) -> list[Command]:
        """Return the command that waits for the confirmation, or nothing. It must use the same connection as the write."""
        match self.kind:
            case "memory":
                return []
            case "aof":
                return [("WAITAOF", 1, 0, self.timeout_ms)]
            case "replica":
                return [("WAIT", self.replicas, self.timeout_ms)]

    def confirm(self, replies: Sequence[Reply], order_ids: Sequence[str] = ()) -> None:
        """Check the replies to `wait`. Raises NotDurable."""
        for reply in replies:
            if isinstance(reply, RedisError):
                raise NotDurable(self.kind, list(order_ids), describe(reply)) from reply
            confirmed = as_int(as_list(reply)[0]) if self.kind == "aof" else as_int(reply)
            if confirmed < (1 if self.kind == "aof" else self.replicas):
                many = "a replica" if self.replicas == 1 else f"{self.replicas} replicas, but {confirmed},"
                where = "written to disk" if self.kind == "aof" else f"on {many}"
                raise NotDurable(self.kind, list(order_ids), f"not {where} within {self.timeout_ms} ms")

    async def probe(self, redis: Client, sim_id: str) -> None:
        """Check whether Redis can confirm at all. Raises NotDurable or redis.exceptions.RedisError."""
        async with acquire_connection(redis, SimKeys(sim_id).orders) as connection:
            self.confirm(await connection.pipeline(*replace(self, timeout_ms=1).wait()) if self.wait() else [])


MEMORY = Durability("memory")
