"""Entries of the order log, and of the dead letters. `admit.lua` writes the same fields."""

from dataclasses import dataclass

from sector.models import LoggedOrder
from sector.state.keys import SimKeys
from sector.state.redis.command_encoding import Command
from sector.state.redis.replies import Reply, as_entry, as_list

SCOPE_ADMIN = b"admin"
SCOPE_PLAYER = b"player"
VERSION = b"1"
"""The version of entries. An entry with another one in its field `v` cannot be read."""

_MAX_DEAD_LETTERS = 1000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry of the log that cannot be applied: its id, its fields, and the reason."""

    id: str
    fields: dict[bytes, bytes]
    fault: str

    def store_command(self, keys: SimKeys) -> Command:
        """Return the command that stores it for an operator. The newest 1,000 are retained."""
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


def encode_order(key: str, order: LoggedOrder) -> Command:
    """Return the command that appends an order of an archive to the log at `key`, with its id."""
    return (
        *("XADD", key, order.id, "issuer", order.issuer, "scope", SCOPE_ADMIN if order.admin else SCOPE_PLAYER),
        *(("fault", order.fault) if order.fault else ("order", order.body)),
    )


def decode_orders(reply: Reply, max_bytes: int | None = None) -> tuple[list[LoggedOrder], list[DeadLetter]]:
    """Return the orders in the answer to XRANGE, and the dead letters among them.

    With `max_bytes` it stops after the order with which the bodies reach that many bytes.

    A dead letter is among the orders too, with its fault and no body: the world rejects it, and its event states why.
    """
    orders: list[LoggedOrder] = []
    dead_letters: list[DeadLetter] = []
    size = 0
    for entry in as_list(reply):
        entry_id, fields = as_entry(entry)
        fault = _entry_error(fields)
        if fault is not None:
            dead_letters.append(DeadLetter(entry_id, fields, fault))
        issuer = fields.get(b"issuer", b"").decode(errors="replace")
        body = fields[b"order"] if fault is None else b""
        admin = fault is None and fields[b"scope"] == SCOPE_ADMIN
        trace = fields[b"trace"].decode(errors="replace") if b"trace" in fields else None
        orders.append(LoggedOrder(entry_id, issuer, admin, body, fault, trace))
        size += len(body)
        if max_bytes is not None and size >= max_bytes:
            break
    return orders, dead_letters


def _entry_error(fields: dict[bytes, bytes]) -> str | None:
    if b"fault" in fields:  # a dead letter before the sim was exported and imported
        return fields[b"fault"].decode(errors="replace")
    if (version := fields.get(b"v", VERSION)) != VERSION:
        return f"the entry has version {version.decode(errors='replace')[:20]}, and this worker reads version {VERSION.decode()}"
    if missing := [name.decode() for name in (b"issuer", b"scope", b"order") if name not in fields]:
        return f"the entry is not an order: it lacks {', '.join(missing)}"
    if (scope := fields[b"scope"]) not in (SCOPE_ADMIN, SCOPE_PLAYER):
        return f"the entry is not an order: it has the invalid scope {scope.decode(errors='replace')[:20]!r}"
    return None
