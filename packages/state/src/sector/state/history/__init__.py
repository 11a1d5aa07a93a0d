"""The history of a sim: keyframes and deltas, their retention, and the outcomes of orders."""

from sector.models.deprecated_names import moved_names

__getattr__ = moved_names(__name__, f"{__name__}.history")
