"""An asynchronous client of the HTTP API of Sector, for players, bots and tests."""

from sector.client.client import Client
from sector.client.clock import Clock
from sector.client.errors import ClientError, RequestRejected, Unavailable
from sector.client.stream import Gap
from sector.models.deprecated_names import deprecate_modules, deprecated_names

__all__ = ["Client", "ClientError", "Clock", "Gap", "RequestRejected", "Unavailable"]

__getattr__ = deprecated_names(__name__, {"Refused": "RequestRejected"})
deprecate_modules({f"{__name__}.asking": f"{__name__}.retry"})
