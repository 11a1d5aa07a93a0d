"""The outcomes of a tick: it was committed, or the sim has finished."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from sector.state.redis.memory import NO_LIMIT, MemoryUse
from sector.state.tick.head import Head


class PhaseDurations(NamedTuple):
    """How long each phase of a tick took, in seconds."""

    read_s: float
    compute_s: float
    write_s: float


@dataclass(frozen=True, slots=True)
class CommittedTick:
    """A committed tick. `orders`: how many it applied. `finished`: it was the last one.

    `waited_ms`: how long the oldest of its orders was in the log, by the clocks of Redis and of this process. `events`: as in a Step.
    `snapshot_bytes`: the size of the state. `snapshot_written`: whether the snapshot was written. `traces`: those of its orders.
    `history_bytes`: the approximate size of the stored history. `memory`: that of Redis.
    """

    head: Head
    orders: int
    finished: bool
    durations: PhaseDurations
    waited_ms: int = 0
    events: bytes = b""
    snapshot_bytes: int = 0
    snapshot_written: bool = False
    traces: tuple[str, ...] = ()
    history_bytes: int = 0
    memory: MemoryUse = NO_LIMIT


@dataclass(frozen=True, slots=True)
class FinishedSim:
    """Nothing was committed, because an earlier tick finished the sim. `head` is that of its last tick."""

    finished: ClassVar[bool] = True
    head: Head
