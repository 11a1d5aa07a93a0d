"""Roll forward: an earlier state and the following entries of the event stream give a later state, without the rules of
the world.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sector.models import Step
from sector.models.delta import DeltaError, apply_delta, tick_of
from sector.models.deprecated_names import deprecated_names
from sector.models.frame import Frame, FrameError, decode, digest, encode
from sector.state.errors import HistoryBroken, HistoryGone
from sector.state.history.event_codec import decode_tick
from sector.state.redis.replies import Reply


@dataclass(frozen=True, slots=True)
class StateAtTick:
    """The state of a sim at one tick.

    `hash`: the recorded state hash. `cursor`: the id of the last order that was applied, or None if it is unknown.
    """

    sim_id: str
    tick: int
    cursor: str | None
    hash: str
    frame: Frame

    def snapshot(self) -> bytes:
        """Return the encoded snapshot. Raises HistoryBroken if its digest is not the recorded state hash."""
        snapshot = encode(self.frame)
        if digest(snapshot) != self.hash:
            reason = f"its state has the hash {digest(snapshot)}, and {self.hash} was recorded"
            raise HistoryBroken(self.sim_id, self.tick, reason)
        return snapshot


def state_at_snapshot(snapshot: bytes, sim_id: str, cursor: str | None = None) -> StateAtTick:
    """Return the state in a snapshot.

    Raises sector.models.frame.FrameError, or HistoryBroken if the snapshot has no tick.
    """
    frame = decode(snapshot)
    try:
        return StateAtTick(sim_id, tick_of(frame), cursor, digest(snapshot), frame)
    except DeltaError as error:
        raise HistoryBroken(sim_id, 0, str(error)) from error


def roll_forward(state: StateAtTick, entries: Sequence[Reply]) -> StateAtTick:
    """Return the state after the ticks in `entries` of the event stream.

    Raises HistoryGone if a tick is missing, and HistoryBroken if an entry is invalid.
    """
    for entry in entries:
        tick = decode_tick(entry, state.sim_id)
        if tick.tick != state.tick + 1:
            raise HistoryGone(state.sim_id, state.tick + 1)
        try:
            frame = apply_delta(state.frame, decode(tick.delta))
        except (FrameError, DeltaError) as error:
            raise HistoryBroken(state.sim_id, tick.tick, str(error)) from error
        state = StateAtTick(state.sim_id, tick.tick, tick.cursor, tick.hash, frame)
    return state


def verify_delta[S](before: bytes, step: Step[S]) -> None:
    """Raise DeltaError unless the delta of `step` leads from the snapshot `before` to the snapshot of `step`."""
    delta_hash, snapshot_hash = digest(encode(apply_delta(decode(before), decode(step.delta)))), digest(step.snapshot)
    if delta_hash != snapshot_hash:
        raise DeltaError(f"the delta of a step gives the state hash {delta_hash}, and its snapshot has {snapshot_hash}")


def check_follows(sim_id: str, tick: int, expected: int) -> None:
    """Raise HistoryGone unless a page of the event stream begins with the expected tick."""
    if tick != expected:
        raise HistoryGone(sim_id, expected)


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__, {"Past": "StateAtTick", "past_in": "state_at_snapshot", "hold_to_its_delta": "verify_delta"}
    )
