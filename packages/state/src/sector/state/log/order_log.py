"""The backlog of the order log: the orders that wait for the worker. An order's id is its id in the stream."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

from sector.models.deprecated_names import deprecated_names
from sector.state.errors import SimNotFound
from sector.state.keys import SimKeys
from sector.state.log.order_codec import DeadLetter, decode_orders
from sector.state.redis.client import Client
from sector.state.redis.connection import Connection, acquire_connection
from sector.state.redis.replies import Reply, as_bytes, as_entry, as_int, as_list, checked
from sector.state.tick.head import FIELDS, Head

__all__ = ["DeadLetter", "Pending", "count_entries", "decode_orders", "load_entry_count", "load_pending"]


def count_entries(reply: Reply) -> int:
    """Return how many entries the log ever had, trimmed ones included: from the answer to XINFO STREAM."""
    flat = as_list(reply)
    by_name = {as_bytes(name): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
    return as_int(by_name.get(b"entries-added"))


async def load_entry_count(connection: Connection, keys: SimKeys) -> int:
    """Return how many entries the log ever had; 0 if it does not exist."""
    (reply,) = await connection.pipeline(("XINFO", "STREAM", keys.orders))
    return 0 if isinstance(reply, ResponseError) else count_entries(reply)


@dataclass(frozen=True, slots=True)
class Pending:
    """The number of orders that wait for the worker, and the id of the oldest, which begins with its time in ms; None for none."""

    count: int
    oldest: str | None


async def load_pending(redis: Client, sim_id: str) -> Pending:
    """Return the backlog. Raises SimNotFound, redis.exceptions.RedisError."""
    keys = SimKeys(sim_id)
    async with acquire_connection(redis, keys.head) as connection:
        (fields,) = checked(await connection.pipeline(("HMGET", keys.head, *FIELDS)))
        head = Head.parse(as_list(fields))
        if head is None:
            raise SimNotFound(sim_id)
        (entries,) = checked(await connection.pipeline(("XRANGE", keys.orders, f"({head.cursor}", "+", "COUNT", 1)))
        if not as_list(entries):
            return Pending(0, None)
        (reply,) = checked(await connection.pipeline(("XINFO", "STREAM", keys.orders)))
    oldest, _ = as_entry(as_list(entries)[0])
    # Orders may be appended or applied between the two commands. The count is for display.
    return Pending(1 if head.applied is None else max(count_entries(reply) - head.applied, 1), oldest)


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__,
        {
            "SCOPE_ADMIN": "sector.state.log.order_codec.SCOPE_ADMIN",
            "SCOPE_PLAYER": "sector.state.log.order_codec.SCOPE_PLAYER",
            "VERSION": "sector.state.log.order_codec.VERSION",
            "Poison": "DeadLetter",
            "logged": "count_entries",
            "pending": "load_pending",
            "read_entries": "decode_orders",
        },
    )
