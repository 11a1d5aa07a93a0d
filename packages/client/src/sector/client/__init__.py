"""A client of Sector's API: everything that a player, a bot or a test asks of it, over HTTP."""

from sector.client.client import Client
from sector.client.clock import Clock
from sector.client.errors import ClientError, Refused, Unavailable
from sector.client.stream import Gap

__all__ = ["Client", "ClientError", "Clock", "Gap", "Refused", "Unavailable"]
