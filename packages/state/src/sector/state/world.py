"""World: all that the state and the worker know of the rules. Forking the skeleton means writing one class of this shape."""

from collections.abc import Sequence
from typing import Protocol

from sector.models import LoggedOrder, SimConfig, Step


class World[S](Protocol):
    """A deterministic world. `S` is its state, which nobody else looks into; map, snapshot and delta are frames."""

    def found(self, config: SimConfig) -> tuple[bytes, bytes]:
        """Return (map, snapshot at tick 0)."""

    def load(self, config: SimConfig, map_blob: bytes, snapshot: bytes) -> S:
        """Return the state in a snapshot. Raises sector.models.frame.FrameError."""

    def advance(self, state: S, orders: Sequence[LoggedOrder]) -> Step[S]:
        """Return the step to the next tick. The same state and orders give the same bytes, everywhere."""
