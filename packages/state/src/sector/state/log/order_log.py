"""The order log: a stream of accepted orders, oldest first. An order's id is its id in the stream."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sector.models import LoggedOrder
from sector.models.deprecated_names import deprecated_names
from sector.state.errors import SimNotFound
from sector.state.keys import SimKeys
from sector.state.redis.client import Client
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import acquire_connection
from sector.state.redis.replies import Reply, as_bytes, as_entry, as_int, as_list, checked
from sector.state.tick.head import FIELDS, Head

SCOPE_ADMIN = b"admin"
SCOPE_PLAYER = b"player"
VERSION = b"1"
"""Of the entries. One that names another in its field `v` is not ours to read."""

_MAX_DEAD_LETTERS = 1000


def count_entries(reply: Reply) -> int:
    """Return how many entries the log ever had, trimmed ones included: from the answer to XINFO STREAM."""
    flat = as_list(reply)
    named = {as_bytes(name): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
    return as_int(named.get(b"entries-added"))


@dataclass(frozen=True, slots=True)
class Pending:
    """How many orders wait for the worker, and the id of the oldest, whose first part is when it came, in ms; empty where none waits."""

    count: int
    oldest: str


async def load_pending(redis: Client, sim_id: str) -> Pending:
    """Return what waits. Raises SimNotFound, redis.exceptions.RedisError."""
    keys = SimKeys(sim_id)
    async with acquire_connection(redis, keys.head) as connection:
        (fields,) = checked(await connection.pipeline(("HMGET", keys.head, *FIELDS)))
        head = Head.parse(as_list(fields))
        if head is None:
            raise SimNotFound(sim_id)
        (entries,) = checked(await connection.pipeline(("XRANGE", keys.orders, f"({head.cursor}", "+", "COUNT", 1)))
        if not as_list(entries):
            return Pending(0, "")
        (reply,) = checked(await connection.pipeline(("XINFO", "STREAM", keys.orders)))
    oldest, _ = as_entry(as_list(entries)[0])
    # Between the two more may have come, or been applied: it is what is shown to people.
    return Pending(max(count_entries(reply) - head.applied, 1) if head.applied >= 0 else 1, oldest)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry of the log that nobody can apply: its id, its fields, and what is wrong with it."""

    id: str
    fields: dict[bytes, bytes]
    fault: str

    def to_dead_letter(self, keys: SimKeys) -> Command:
        """Return the command that keeps it where an operator finds it; of many, the newest are kept."""
        flat = [part for pair in self.fields.items() for part in pair]
        return (
            "XADD",
            keys.dead_letters,
            "MAXLEN",
            "~",
            _MAX_DEAD_LETTERS,
            "*",
            "entry",
            self.id,
            "fault",
            self.fault,
            *flat,
        )


def read_entries(reply: Reply, max_bytes: int | None = None) -> tuple[list[LoggedOrder], list[DeadLetter]]:
    """Return the orders in the answer to XRANGE, and those entries among them that are poison.

    With `max_bytes` it stops after the order with which the bodies come to so many bytes.

    A poisonous one is among the orders too, with its fault and no body: the world rejects it, so that its event tells.
    """
    orders: list[LoggedOrder] = []
    poison: list[DeadLetter] = []
    size = 0
    for entry in as_list(reply):
        entry_id, fields = as_entry(entry)
        fault = _entry_error(fields)
        if fault:
            poison.append(DeadLetter(entry_id, fields, fault))
        issuer = fields.get(b"issuer", b"").decode(errors="replace")
        body = b"" if fault else fields[b"order"]
        trace = fields[b"trace"].decode(errors="replace") if b"trace" in fields else ""
        orders.append(LoggedOrder(entry_id, issuer, not fault and fields[b"scope"] == SCOPE_ADMIN, body, fault, trace))
        size += len(body)
        if max_bytes is not None and size >= max_bytes:
            break
    return orders, poison


def _entry_error(fields: dict[bytes, bytes]) -> str:
    if b"fault" in fields:  # set aside before the sim was exported and imported
        return fields[b"fault"].decode(errors="replace")
    if (version := fields.get(b"v", VERSION)) != VERSION:
        return f"an entry of version {version.decode(errors='replace')[:20]}, and this worker reads {VERSION.decode()}"
    if missing := [name.decode() for name in (b"issuer", b"scope", b"order") if name not in fields]:
        return f"not an order: an entry without {', '.join(missing)}"
    if (scope := fields[b"scope"]) not in (SCOPE_ADMIN, SCOPE_PLAYER):
        return f"not an order: an entry of the scope {scope.decode(errors='replace')[:20]!r}"
    return ""


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__, {"Poison": "DeadLetter", "logged": "count_entries", "pending": "load_pending"}
    )
