"""The input and the output of one tick of any world. `sector.state` and the worlds share these types."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class LoggedOrder:
    """An order of the order log: its id, the name and the scope of its issuer, and the order as JSON.

    `fault`: why the entry of the log is invalid. Its body is empty then, and a world rejects the order with this text.
    `trace`: the traceparent of the request that submitted the order, if that is traced. A world must not depend on it.
    """

    id: str
    issuer: str
    admin: bool
    body: bytes
    fault: str | None = None
    trace: str | None = None


class WorldConfigError(ValueError):
    """A world cannot be created with a config. Clients that requested the sim see the text."""


class Step[S](NamedTuple):
    """The result of one tick.

    Attributes:
        state: The state after the tick, of a type of the world.
        snapshot: The encoded frame of that state.
        delta: The encoded difference from the snapshot before, in the format of `sector.models.delta`.
        events: An encoded frame of kind `events`, which `sector.models.rows.event_rows` describes.
        finished: Whether the sim ends with this tick.
    """

    state: S
    snapshot: bytes
    delta: bytes
    events: bytes
    finished: bool
