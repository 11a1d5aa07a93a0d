"""Rolling forward: an earlier state, and what the ticks after it left in the event stream, make a later one. No rule is needed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sector.models import Step
from sector.models.delta import DeltaError, apply_delta, tick_of
from sector.models.deprecated_names import deprecated_names
from sector.models.frame import Frame, FrameError, decode, digest, encode
from sector.state.errors import HistoryBroken, HistoryGone
from sector.state.redis.replies import Reply, as_entry

_REQUIRED = {
    b"at_ms": re.compile(rb"[0-9]{1,16}"),
    b"hash": re.compile(rb"[\x21-\x7e]{1,128}"),
    b"cursor": re.compile(rb"[0-9]{1,20}-[0-9]{1,20}"),
}
_PATTERNS = _REQUIRED | {b"epoch": re.compile(rb"[0-9]{1,9}")}
_FIELDS = {*_REQUIRED, b"events", b"delta"}
"""Of an entry of the event stream."""


@dataclass(frozen=True, slots=True)
class StateAtTick:
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


def state_at_snapshot(snapshot: bytes, sim_id: str, cursor: str = "") -> StateAtTick:
    """Return the state in a snapshot. Raises sector.models.frame.FrameError, HistoryBroken."""
    frame = decode(snapshot)
    try:
        return StateAtTick(sim_id, tick_of(frame), cursor, digest(snapshot), frame)
    except DeltaError as error:
        raise HistoryBroken(sim_id, 0, str(error)) from error


def roll_forward(state: StateAtTick, entries: Sequence[Reply]) -> StateAtTick:
    """Return the state after the ticks in `entries` of the event stream. Raises HistoryGone where one is missing, HistoryBroken."""
    for entry in entries:
        tick, fields = tick_fields(entry, state.sim_id)
        if tick != state.tick + 1:
            raise HistoryGone(state.sim_id, state.tick + 1)
        try:
            frame = apply_delta(state.frame, decode(fields[b"delta"]))
        except (FrameError, DeltaError) as error:
            raise HistoryBroken(state.sim_id, tick, str(error)) from error
        state = StateAtTick(state.sim_id, tick, fields[b"cursor"].decode(), fields[b"hash"].decode(), frame)
    return state


def verify_delta[S](before: bytes, step: Step[S]) -> None:
    """Raise DeltaError where the delta of `step` does not lead from the snapshot `before` to the snapshot after."""
    delta_hash, snapshot_hash = digest(encode(apply_delta(decode(before), decode(step.delta)))), digest(step.snapshot)
    if delta_hash != snapshot_hash:
        raise DeltaError(f"the delta of a step leads to {delta_hash}, and its snapshot is {snapshot_hash}")


def tick_fields(entry: Reply, sim_id: str) -> tuple[int, dict[bytes, bytes]]:
    """Return the tick of an entry of the event stream, and its fields. Raises HistoryBroken where it is no entry of a worker."""
    entry_id, fields = as_entry(entry)
    tick, _, number = entry_id.partition("-")
    if number != "0":
        raise HistoryBroken(sim_id, int(tick), f"there is a second entry of this tick, {entry_id}")
    if missing := _FIELDS - fields.keys():
        names = ", ".join(sorted(name.decode() for name in missing))
        raise HistoryBroken(sim_id, int(tick), f"its entry has no field {names}")
    checks = _PATTERNS if b"epoch" in fields else _REQUIRED
    if wrong := next((name for name, pattern in checks.items() if not pattern.fullmatch(fields[name])), None):
        raise HistoryBroken(sim_id, int(tick), f"its field {wrong.decode()} is {fields[wrong][:60]!r}")
    return int(tick), fields


def check_follows(sim_id: str, tick: int, expected: int) -> None:
    """Raise HistoryGone where a page of the event stream does not go on with the tick that is expected."""
    if tick != expected:
        raise HistoryGone(sim_id, expected)


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__, {"Past": "StateAtTick", "past_in": "state_at_snapshot", "hold_to_its_delta": "verify_delta"}
    )
