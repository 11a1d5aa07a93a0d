"""The data types of Sector: orders, events, snapshots, configs and frames, on the wire, in the order log and in memory."""

from sector.models.config import Puppet, SimConfig
from sector.models.deprecated_names import deprecate_modules
from sector.models.events import EVENT, Event, RejectReason
from sector.models.orders import ORDER, AddFleet, Join, MoveFleet, Note, Order, SetOwner
from sector.models.snapshot import Snapshot
from sector.models.step import LoggedOrder, Step

__all__ = [
    "EVENT",
    "ORDER",
    "AddFleet",
    "Event",
    "Join",
    "LoggedOrder",
    "MoveFleet",
    "Note",
    "Order",
    "Puppet",
    "RejectReason",
    "SetOwner",
    "SimConfig",
    "Snapshot",
    "Step",
]

deprecate_modules({f"{__name__}.answers": f"{__name__}.responses", f"{__name__}.names": f"{__name__}.field_types"})
