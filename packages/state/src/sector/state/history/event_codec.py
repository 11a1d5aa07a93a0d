"""Codec for the entries of the event stream, which has one entry for each tick.

All readers and writers of the stream use it.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue
from pydantic_core import from_json

from sector.models.frame import FrameError, decode
from sector.models.rows import event_rows
from sector.state.errors import HistoryBroken
from sector.state.redis.command_encoding import Command
from sector.state.redis.replies import Reply, as_entry

type Event = dict[str, JsonValue]

_REQUIRED = {
    b"at_ms": re.compile(rb"[0-9]{1,16}"),
    b"hash": re.compile(rb"[\x21-\x7e]{1,128}"),
    b"cursor": re.compile(rb"[0-9]{1,20}-[0-9]{1,20}"),
}
_PATTERNS = _REQUIRED | {b"epoch": re.compile(rb"[0-9]{1,9}")}
_FIELDS = {*_REQUIRED, b"events", b"delta"}


@dataclass(frozen=True)
class TickEvents:
    """The entry of one tick in the event stream.

    Attributes:
        tick: The tick.
        at_ms: When it was committed, in milliseconds since 1970.
        epoch: The epoch of the lease under which it was committed. 0 for a tick of an imported sim, or of a version
            before 0.3.
        hash: The state hash after the tick, as 32 hex digits.
        cursor: The id of the last order that was applied.
        events_frame: The encoded frame of its events.
        delta: The encoded frame of the changes of the state.
        traces: The traceparents of the orders that it applied.
    """

    tick: int
    at_ms: int
    epoch: int
    hash: str
    cursor: str
    events_frame: bytes
    delta: bytes
    traces: tuple[str, ...] = ()

    @cached_property
    def events(self) -> list[Event]:
        """The events of the tick, decoded on first use.

        Each has the fields of the world, and `id` (`tick-number`) and `at_ms`.
        """
        return self.events_from(0)

    def events_from(self, first: int) -> list[Event]:
        """Return the events of the tick from the number `first`. Raises sector.models.frame.FrameError."""
        if self.events_frame.startswith(b"["):  # version 0.1 stored events as JSON
            try:
                rows: list[Event] = from_json(self.events_frame)[first:]
            except ValueError as error:
                raise FrameError("the events start as JSON and are not JSON") from error
        else:
            rows = event_rows(decode(self.events_frame), first, None)
        return [{"id": f"{self.tick}-{number}", "at_ms": self.at_ms, **row} for number, row in enumerate(rows, first)]


def encode_tick(key: str, tick: TickEvents) -> Command:
    """Return the command that appends a tick to the event stream at `key`."""
    return (
        *("XADD", key, f"{tick.tick}-0", "at_ms", tick.at_ms, "hash", tick.hash, "epoch", tick.epoch),
        *("cursor", tick.cursor, "events", tick.events_frame, "delta", tick.delta),
        *(("traces", " ".join(tick.traces)) if tick.traces else ()),
    )


def decode_tick(entry: Reply, sim_id: str) -> TickEvents:
    """Return the tick of an entry of the event stream. Raises HistoryBroken if the entry is invalid."""
    entry_id, fields = as_entry(entry)
    tick, _, number = entry_id.partition("-")
    if number != "0":
        raise HistoryBroken(sim_id, int(tick), f"a second entry {entry_id} has this tick")
    if missing := _FIELDS - fields.keys():
        names = ", ".join(sorted(name.decode() for name in missing))
        raise HistoryBroken(sim_id, int(tick), f"its entry lacks the field {names}")
    checks = _PATTERNS if b"epoch" in fields else _REQUIRED
    if wrong := next((name for name, pattern in checks.items() if not pattern.fullmatch(fields[name])), None):
        raise HistoryBroken(
            sim_id, int(tick), f"its field {wrong.decode()} has the invalid value {fields[wrong][:60]!r}"
        )
    return TickEvents(
        tick=int(tick),
        at_ms=int(fields[b"at_ms"]),
        epoch=int(fields.get(b"epoch", 0)),
        hash=fields[b"hash"].decode(),
        cursor=fields[b"cursor"].decode(),
        events_frame=fields[b"events"],
        delta=fields[b"delta"],
        traces=tuple(fields[b"traces"].decode(errors="replace").split()) if b"traces" in fields else (),
    )
