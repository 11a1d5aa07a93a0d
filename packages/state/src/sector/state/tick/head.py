"""The head of a sim: which tick it is at, how far the order log is applied, and who committed it."""

import re
from typing import NamedTuple, Self

from sector.state.errors import HeadError
from sector.state.redis.replies import Reply, as_bytes

FIELDS = ("tick", "cursor", "hash", "commit", "epoch", "at_ms", "status", "applied", "tick_length_ms", "history_bytes")

_STORED_NONE = -1
"""In Redis, a number that is not known. Heads of earlier versions lack the field instead."""
_NUMBER, _OPTIONAL, _ANY = re.compile(r"[0-9]{1,16}"), re.compile(r"(-?[0-9]{1,16})?"), re.compile(r".*", re.DOTALL)
_PATTERNS = {
    "tick": _NUMBER,
    "cursor": re.compile(r"[0-9]{1,20}-[0-9]{1,20}"),
    "hash": _ANY,
    "commit": _ANY,
    "epoch": re.compile(r"[0-9]{1,9}"),
    "at_ms": _NUMBER,
    "status": _ANY,
    "applied": _OPTIONAL,
    "tick_length_ms": _OPTIONAL,
    "history_bytes": _OPTIONAL,
}


class TickInfo(NamedTuple):
    """What is known of a tick, also of an earlier one. `cursor`, `epoch` and `at_ms` are None if they are not in the history."""

    tick: int
    cursor: str | None
    hash: str
    epoch: int | None
    at_ms: int | None
    status: str


class Head(NamedTuple):
    """`cursor`: id of the last order applied. `hash`: state hash. `commit`: id of the commit. `at_ms`: worker's clock.

    `applied`: the number of entries of the order log that were ever applied; None if it is not stored, before 0.6.
    `tick_length_ms`: the time from one tick to the next for which the worker that committed is configured; None if it is not known,
    before the first tick and before 0.9. `history_bytes`: of all history that was ever written, the dropped
    part included; 0 before 0.11.
    """

    tick: int
    cursor: str
    hash: str
    commit: str
    epoch: int
    at_ms: int
    status: str
    applied: int | None
    tick_length_ms: int | None = None
    history_bytes: int = 0

    @classmethod
    def parse(cls, reply: list[Reply]) -> Self | None:
        """Return the head in the answer to HMGET of FIELDS, or None if the sim is not founded yet. Raises HeadError."""
        texts = [(as_bytes(value) or b"").decode(errors="replace") for value in reply]
        tick, cursor, state_hash, commit, epoch, at_ms, status, applied, length, history = texts
        if not tick:
            return None
        for field, text in zip(FIELDS, texts, strict=True):
            if not _PATTERNS[field].fullmatch(text):
                raise HeadError(field, text)
        numbers = _parse_optional(applied), _parse_optional(length), int(history or 0)
        return cls(int(tick), cursor, state_hash, commit, int(epoch), int(at_ms), status, *numbers)

    def pairs(self) -> list[str | int]:
        """Return fields and values as HSET takes them."""
        values: tuple[str | int | None, ...] = self
        stored = (_STORED_NONE if value is None else value for value in values)
        return [part for pair in zip(FIELDS, stored, strict=True) for part in pair]

    def info(self) -> TickInfo:
        """Return what a view of this tick has."""
        return TickInfo(self.tick, self.cursor, self.hash, self.epoch, self.at_ms, self.status)


def _parse_optional(text: str) -> int | None:
    return None if not text or text.startswith("-") else int(text)
