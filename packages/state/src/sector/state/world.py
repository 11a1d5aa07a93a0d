"""World: the interface between the rules and the rest. To fork the skeleton, write one class with these methods."""

from collections.abc import Sequence
from typing import Protocol

from sector.models import LoggedOrder, SimConfig, Step


class World[S](Protocol):
    """A deterministic world. `S` is its state, which is opaque to all other code; map, snapshot and delta are frames."""

    def create(self, config: SimConfig) -> tuple[bytes, bytes]:
        """Return (map, snapshot at tick 0). Raises ValueError where no world can be created with this config.

        The text of a sector.models.step.WorldConfigError is public. That of any other ValueError is logged.
        """

    def load(self, config: SimConfig, map_blob: bytes, snapshot: bytes) -> S:
        """Return the state in a snapshot. Raises sector.models.frame.FrameError."""

    def advance(self, state: S, orders: Sequence[LoggedOrder]) -> Step[S]:
        """Return the step to the next tick. The same state and orders give the same bytes, everywhere."""
