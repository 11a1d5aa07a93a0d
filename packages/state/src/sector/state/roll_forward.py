"""Rolling forward: an earlier state, and what the ticks after it left in the event stream, make a later one. No rule is needed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sector.models import Step
from sector.models.delta import DeltaError, apply_delta, tick_of
from sector.models.frame import Frame, FrameError, decode, digest, encode
from sector.state.errors import HistoryBroken, HistoryGone
from sector.state.replies import Reply, as_entry


@dataclass(frozen=True, slots=True)
class Past:
    """A sim at one tick, with the state hash recorded then; `cursor`: id of the last order applied, "" where that is not known."""

    sim_id: str
    tick: int
    cursor: str
    hash: str
    frame: Frame

    def snapshot(self) -> bytes:
        """Return the state as bytes. Raises HistoryBroken where they are not those of the hash recorded."""
        snapshot = encode(self.frame)
        if digest(snapshot) != self.hash:
            reason = f"its state has the hash {digest(snapshot)}, and {self.hash} was recorded"
            raise HistoryBroken(self.sim_id, self.tick, reason)
        return snapshot


def past_in(snapshot: bytes, sim_id: str, cursor: str = "") -> Past:
    """Return the state in a snapshot. Raises sector.models.frame.FrameError, HistoryBroken."""
    frame = decode(snapshot)
    try:
        return Past(sim_id, tick_of(frame), cursor, digest(snapshot), frame)
    except DeltaError as error:
        raise HistoryBroken(sim_id, 0, str(error)) from error


def roll_forward(past: Past, entries: Sequence[Reply]) -> Past:
    """Return the state after the ticks in `entries` of the event stream. Raises HistoryGone where one is missing, HistoryBroken."""
    for entry in entries:
        tick, fields = tick_fields(entry)
        if tick != past.tick + 1:
            raise HistoryGone(past.sim_id, past.tick + 1)
        try:
            frame = apply_delta(past.frame, decode(fields[b"delta"]))
        except (FrameError, DeltaError) as error:
            raise HistoryBroken(past.sim_id, tick, str(error)) from error
        past = Past(past.sim_id, tick, fields[b"cursor"].decode(), fields[b"hash"].decode(), frame)
    return past


def hold_to_its_delta[S](before: bytes, step: Step[S]) -> None:
    """Raise DeltaError where the delta of `step` does not lead from the snapshot `before` to the snapshot after."""
    found, expected = digest(encode(apply_delta(decode(before), decode(step.delta)))), digest(step.snapshot)
    if found != expected:
        raise DeltaError(f"the delta of a step leads to {found}, and its snapshot is {expected}")


def tick_fields(entry: Reply) -> tuple[int, dict[bytes, bytes]]:
    """Return the tick of an entry of the event stream, and its fields."""
    entry_id, fields = as_entry(entry)
    return int(entry_id.partition("-")[0]), fields
