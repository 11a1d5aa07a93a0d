"""Retention: when a sim writes a keyframe, and how much history it stores, in ticks and in bytes.

History is trimmed (XTRIM) in parts that begin at a keyframe. A sim writes a keyframe every `keyframe_interval` ticks.
It writes one earlier if the history since the last one exceeds a sixteenth of its limit in bytes. So each trim frees
memory soon, even if players write much.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sector.models import LoggedOrder, SimConfig
from sector.state.keys import SimKeys
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import Connection
from sector.state.redis.replies import as_bytes, as_list, checked

MAX_HISTORY_BYTES = 64 * 2**20
"""The default limit of the history of a sim in bytes, including its keyframes."""
_PARTS = 16
_BYTES = re.compile(r"[0-9]{1,16}")
_TICK_BYTES, _ORDER_BYTES = 256, 128
"""The size of an entry of a stream without its contents."""


class KeyframeMark(NamedTuple):
    """A keyframe: its tick, the cursor at that tick, and how many bytes of history were written before it.

    A keyframe of a version before 0.11 has no number of bytes. It gets that of the previous keyframe, or 0.
    """

    tick: int
    cursor: str
    bytes_before: int


class HistoryStep(NamedTuple):
    """The effect of a tick on the history.

    Attributes:
        keyframes: The keyframes after the tick, oldest first.
        cursor: The cursor of the tick.
        written_bytes: All bytes of history that were ever written.
        is_keyframe: Whether the tick writes a keyframe.
        commands: The commands to execute.
    """

    keyframes: tuple[KeyframeMark, ...]
    cursor: str
    written_bytes: int
    is_keyframe: bool
    commands: list[Command]

    @property
    def stored_bytes(self) -> int:
        """The approximate size of the stored history after the tick, in bytes."""
        return self.written_bytes - self.keyframes[0].bytes_before


@dataclass(frozen=True, slots=True)
class Retention:
    """The limits of one sim: ticks between keyframes, number of keyframes, and bytes of history."""

    keyframe_interval: int
    max_keyframes: int
    max_bytes: int

    @classmethod
    def of(cls, config: SimConfig, max_bytes: int) -> "Retention":
        """Return the limits of the config of a sim, with the limit `max_bytes`."""
        return cls(config.keyframe_interval, config.keyframes_kept, max_bytes)

    def advance(
        self, keys: SimKeys, keyframes: tuple[KeyframeMark, ...], tick: KeyframeMark, snapshot: bytes
    ) -> HistoryStep:
        """Return the effect of a tick on the history.

        `tick`: the mark of the tick if it becomes a keyframe. Its `bytes_before` includes the tick itself.
        """
        written_bytes, commands = tick.bytes_before, list[Command]()
        is_keyframe = not keyframes or self._keyframe_due(tick, len(snapshot), keyframes[-1])
        if is_keyframe:
            commands.append(write_keyframe(keys.keyframes, tick, snapshot))
            keyframes, written_bytes = (*keyframes, tick), written_bytes + len(snapshot)
        rest = self.keyframes_to_keep(keyframes, tick.tick, written_bytes)
        commands += trim_history(keys, keyframes[: -len(rest)], rest)
        return HistoryStep(rest, tick.cursor, written_bytes, is_keyframe, commands)

    def _keyframe_due(self, tick: KeyframeMark, snapshot_bytes: int, last: KeyframeMark) -> bool:
        since_bytes = tick.bytes_before - last.bytes_before
        return tick.tick % self.keyframe_interval == 0 or since_bytes > max(
            self.max_bytes // _PARTS, 2 * snapshot_bytes
        )

    def keyframes_to_keep(
        self, keyframes: tuple[KeyframeMark, ...], tick: int, written_bytes: int
    ) -> tuple[KeyframeMark, ...]:
        """Return the keyframes to retain at `tick`. `written_bytes`: all bytes of history that were ever written.

        The newest keyframe is always retained. If this tick wrote a keyframe, the one before is retained too, because
        otherwise no reader could get the events of this tick. A sim with one keyframe is an exception.
        """
        oldest = tick - tick % self.keyframe_interval - self.keyframe_interval * (self.max_keyframes - 1)
        is_new = bool(keyframes) and keyframes[-1].tick == tick
        newest = max(len(keyframes) - (2 if is_new and self.max_keyframes > 1 else 1), 0)
        for index, each in enumerate(keyframes[:newest]):
            if each.tick >= oldest and written_bytes - each.bytes_before <= self.max_bytes:
                return keyframes[index:] if index else keyframes
        return keyframes[newest:]


def tick_bytes(events: bytes, delta: bytes, orders: Sequence[LoggedOrder]) -> int:
    """Return the approximate number of bytes that a tick adds to the history: its events, its delta and its orders."""
    of_orders = sum(len(each.body) + len(each.issuer) + len(each.trace or "") + _ORDER_BYTES for each in orders)
    return len(events) + len(delta) + _TICK_BYTES + of_orders


async def load_keyframes(connection: Connection, keys: SimKeys) -> tuple[KeyframeMark, ...]:
    """Return the keyframes of a sim, oldest first. Raises redis.exceptions.RedisError."""
    (names,) = checked(await connection.pipeline(("HKEYS", keys.keyframes)))
    ticks = sorted(int(name) for each in as_list(names) if (name := as_bytes(each) or b"").isdigit())
    if not ticks:
        return ()
    fields = [f"{tick}:{field}" for tick in ticks for field in ("cursor", "bytes")]
    (reply,) = checked(await connection.pipeline(("HMGET", keys.keyframes, *fields)))
    values = [(as_bytes(value) or b"").decode(errors="replace") for value in as_list(reply)]
    marks = list[KeyframeMark]()
    for tick, cursor, size in zip(ticks, values[::2], values[1::2], strict=True):
        bytes_before = int(size) if _BYTES.fullmatch(size) else marks[-1].bytes_before if marks else 0
        marks.append(KeyframeMark(tick, cursor or "0-0", bytes_before))
    return tuple(marks)


def write_keyframe(key: str, mark: KeyframeMark, snapshot: bytes) -> Command:
    """Return the command that writes a keyframe to the hash `key`."""
    tick = mark.tick
    return (
        *("HSET", key, tick, snapshot, f"{tick}:cursor", mark.cursor),
        *(f"{tick}:bytes", mark.bytes_before),
    )


def trim_history(keys: SimKeys, dropped: Sequence[KeyframeMark], rest: Sequence[KeyframeMark]) -> list[Command]:
    """Return the commands that delete the keyframes `dropped` and the history before `rest`.

    The commands need no memory, so they succeed even if Redis is full.
    """
    if not dropped:
        return []
    fields = [field for each in dropped for field in (each.tick, f"{each.tick}:cursor", f"{each.tick}:bytes")]
    return [
        ("HDEL", keys.keyframes, *fields),
        ("XTRIM", keys.events, "MINID", rest[0].tick + 1),
        ("XTRIM", keys.orders, "MINID", rest[0].cursor),
    ]
