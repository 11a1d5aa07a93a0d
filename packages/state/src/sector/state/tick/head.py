"""The head of a sim: which tick it is at, how far the order log is applied, and who committed it."""

import re
from typing import NamedTuple, Self

from sector.state.errors import HeadError
from sector.state.redis.replies import Reply, as_bytes

FIELDS = ("tick", "cursor", "hash", "commit", "epoch", "at_ms", "status", "applied", "tick_length_ms", "history_bytes")

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


class Head(NamedTuple):
    """`cursor`: id of the last order applied. `hash`: state hash. `commit`: id of the commit. `at_ms`: worker's clock.

    `applied`: how many entries of the order log, of all there ever were, are applied; -1 where that was not noted, before 0.6.
    `tick_length_ms`: the time from one tick to the next for which the worker that committed is configured; -1 if it is not known,
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
    applied: int
    tick_length_ms: int = -1
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
        numbers = int(applied or -1), int(length or -1), int(history or 0)
        return cls(int(tick), cursor, state_hash, commit, int(epoch), int(at_ms), status, *numbers)

    def pairs(self) -> list[str | int]:
        """Return fields and values as HSET takes them."""
        values: tuple[str | int, ...] = self
        return [part for pair in zip(FIELDS, values, strict=True) for part in pair]
