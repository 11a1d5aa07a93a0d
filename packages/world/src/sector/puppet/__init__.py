"""Puppets: factions that the world plays itself, from what they see, the same way every time."""

from sector.puppet.strategy import plan
from sector.puppet.view import Plan, View

__all__ = ["Plan", "View", "plan"]
