"""What goes into one tick of any world, and what comes out: the types that `sector.state` and a world share."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class LoggedOrder:
    """An order as it stands in the log: `id` from the log, who issued it, and the order itself as JSON."""

    id: str
    issuer: str
    admin: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Step[S]:
    """One tick done: the state after it, what happened, and the delta frame that leads from the snapshot before to this one."""

    state: S
    snapshot: bytes
    delta: bytes
    events: Sequence[BaseModel]
    finished: bool
