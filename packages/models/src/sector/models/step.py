"""What goes into one tick of any world, and what comes out: the types that `sector.state` and a world share."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class LoggedOrder:
    """An order as it stands in the log: `id` from the log, who issued it, and the order itself as JSON.

    `fault`: why the entry is none that can be read; its body is empty then, and a world rejects it with these words. `trace`: the
    traceparent of the request that brought it, where that is traced; no world may look at it.
    """

    id: str
    issuer: str
    admin: bool
    body: bytes
    fault: str = ""
    trace: str = ""


class WorldConfigError(ValueError):
    """A world cannot be created with a config. The text says why; clients that requested the sim read it."""


class Step[S](NamedTuple):
    """One tick done: the state after it, and three frames: its snapshot, the delta from the one before, and what happened.

    `events` is a frame of kind `events`, which `sector.models.rows.event_rows` describes.
    """

    state: S
    snapshot: bytes
    delta: bytes
    events: bytes
    finished: bool
