"""Puppets: factions that the world plays. Their strategy is deterministic and depends only on a view of the state."""

from sector.models.deprecated_names import deprecated_names
from sector.puppet.strategy import plan_orders
from sector.puppet.view import PuppetOrders, PuppetView

__all__ = ["PuppetOrders", "PuppetView", "plan_orders"]

# Names of version 0.6, for one minor version.
__getattr__ = deprecated_names(__name__, {"Plan": "PuppetOrders", "View": "PuppetView", "plan": "plan_orders"})
