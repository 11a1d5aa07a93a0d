"""Backlog of one event stream. A client that reads too slowly is disconnected."""

import asyncio
from dataclasses import dataclass, field

from sector.state.history.event_codec import TickEvents

MAX_TICKS = 1_000
MAX_BYTES = 4 * 2**20
_EVENT_BYTES = 150
"""Approximate size of an event in the stream."""


@dataclass(slots=True, eq=False)
class StreamBacklog:
    """Ticks that were not sent to a client yet.

    `end` is the last message of the stream, as its type and reason. Ticks that were not sent by then are dropped.
    """

    ticks: list[TickEvents] = field(default_factory=list)
    size: int = 0
    end: tuple[str, str] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def push(self, tick: TickEvents | None) -> None:
        """Add a tick; None means that ticks may have been missed. A backlog above its limits ends the stream."""
        if tick is None:
            self.close("reconnect", "ticks may be missing: connect again with Last-Event-ID")
            return
        if self.end:
            return
        self.ticks.append(tick)
        self.size += _EVENT_BYTES * (len(tick.events) + 1)
        if len(self.ticks) > MAX_TICKS or self.size > MAX_BYTES:
            self.close("dropped", f"the client is more than {MAX_TICKS} ticks or {MAX_BYTES} bytes behind: read faster")
        self.changed.set()

    def close(self, message: str, reason: str) -> None:
        """End the stream with a message. Later calls change nothing."""
        self.ticks.clear()
        self.end = self.end or (message, reason)
        self.changed.set()

    def pop_all(self) -> list[TickEvents]:
        """Remove and return all ticks."""
        ticks, self.ticks, self.size = self.ticks, [], 0
        self.changed.clear()
        return ticks
