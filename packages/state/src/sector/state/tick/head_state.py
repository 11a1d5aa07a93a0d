"""The state at head, and the snapshot interval: it is the snapshot that was written last, and the deltas of the ticks since.

To write a large snapshot each tick costs many times what changed in it. So it is written again only when what stands in the
event stream since outweighs it: a commit costs what changed, and whoever reads has a bounded way to go.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sector.models import Step
from sector.models.deprecated_names import deprecated_names
from sector.models.frame import digest
from sector.state.errors import HistoryBroken, HistoryGone, SimNotFound
from sector.state.history.roll_forward import StateAtTick, roll_forward, state_at_snapshot
from sector.state.keys import SimKeys
from sector.state.redis.connection import Connection
from sector.state.redis.replies import Reply, as_bytes, as_entry, as_list, checked
from sector.state.tick.head import Head

MAX_SNAPSHOT_AGE_TICKS = 32
"""The snapshot is that of the head, or of at most so many ticks before."""
_MAX_BACKLOG_RATIO = 4
"""What stands in the stream since is at most so many times as large as the snapshot."""
_PAGE = 8


@dataclass(frozen=True, slots=True)
class SnapshotBacklog:
    """How far the snapshot lies behind the head: ticks, and the bytes that they left in the event stream."""

    ticks: int = 0
    size: int = 0

    def after[S](self, step: Step[S]) -> "SnapshotBacklog | None":
        """Return the backlog after `step`, or None if the snapshot is to be written with it."""
        lag = SnapshotBacklog(self.ticks + 1, self.size + len(step.delta) + len(step.events))
        most = _MAX_BACKLOG_RATIO * len(step.snapshot)
        return None if step.finished or lag.ticks > MAX_SNAPSHOT_AGE_TICKS or lag.size > most else lag


@dataclass(frozen=True, slots=True)
class StoredHead:
    """What lies in Redis of the state at `head`: a snapshot, and the entries of the event stream after it."""

    sim_id: str
    head: Head
    snapshot: bytes
    entries: list[Reply]

    def materialize(self) -> StateAtTick:
        """Return the state at head, held against its hash. Raises sector.models.frame.FrameError, HistoryGone, HistoryBroken."""
        reached = self._replay_deltas()
        if self.entries:
            reached.snapshot()
        return reached

    def snapshot_bytes(self) -> bytes:
        """Return the snapshot of the state at head. Raises as `materialize` does."""
        return self.snapshot if digest(self.snapshot) == self.head.hash else self._replay_deltas().snapshot()

    def _replay_deltas(self) -> StateAtTick:
        reached = roll_forward(state_at_snapshot(self.snapshot, self.sim_id), self.entries)
        if reached.tick < self.head.tick:
            raise HistoryGone(self.sim_id, reached.tick + 1)
        if reached.hash != self.head.hash:
            reason = f"the stored state reaches tick {reached.tick} with hash {reached.hash}, and the head has {self.head.hash}"
            raise HistoryBroken(self.sim_id, self.head.tick, reason)
        return reached


async def load_head_state(connection: Connection, keys: SimKeys, head: Head, snapshot: Reply) -> StoredHead:
    """Read the ticks after `snapshot` up to `head`.

    It stops where a tick is missing. Raises SimNotFound where there is no snapshot, sector.models.frame.FrameError where it is
    none, HistoryBroken, redis.exceptions.RedisError.
    """
    blob, entries = as_bytes(snapshot), list[Reply]()
    if blob is None:
        raise SimNotFound(keys.sim_id)
    if digest(blob) != head.hash:
        tick = state_at_snapshot(blob, keys.sim_id).tick
        while tick < head.tick:
            query = ("XRANGE", keys.events, f"{tick + 1}-0", f"{head.tick}-0", "COUNT", _PAGE)
            (page,) = checked(await connection.pipeline(query))
            if not as_list(page):
                break
            entries += as_list(page)
            ids = [as_entry(entry)[0] for entry in as_list(page)]
            if ids != [f"{tick + number}-0" for number in range(1, len(ids) + 1)]:
                # To roll forward says which tick is missing. To ask for what follows might never end.
                break
            tick += len(ids)
    return StoredHead(keys.sim_id, head, blob, entries)


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__,
        {
            "Lag": "SnapshotBacklog",
            "Written": "StoredHead",
            "written": "load_head_state",
            "MOST_TICKS": "MAX_SNAPSHOT_AGE_TICKS",
        },
    )
