"""Retention: when a sim writes a keyframe, and how far back its history reaches, in ticks and in bytes.

History is trimmed (XTRIM) from one keyframe to the next. A keyframe is written each `keyframe_interval` ticks. It is written sooner
where the bytes since the last one are a sixteenth of what the sim may keep. So trimming the oldest part frees memory soon, whatever
players write.
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
"""What a sim keeps of its history by default, the state at its keyframes included."""
_PARTS = 16
_BYTES = re.compile(r"[0-9]{1,16}")
_TICK_BYTES, _ORDER_BYTES = 256, 128
"""What an entry takes in a stream apart from its contents."""


class KeyframeMark(NamedTuple):
    """A keyframe: its tick, the id of the last order applied, and how many bytes of history had been written before it.

    Where that was not recorded, before 0.11, it is that of the keyframe before, or 0.
    """

    tick: int
    cursor: str
    bytes_before: int


class HistoryStep(NamedTuple):
    """What a tick does to the history: the `commands`, the `keyframes` after it, its `cursor`, and the bytes ever written."""

    keyframes: tuple[KeyframeMark, ...]
    cursor: str
    written_bytes: int
    is_keyframe: bool
    commands: list[Command]

    @property
    def stored_bytes(self) -> int:
        """What is stored of the history after the tick, about."""
        return self.written_bytes - self.keyframes[0].bytes_before


@dataclass(frozen=True, slots=True)
class Retention:
    """The limits of one sim: ticks from keyframe to keyframe, number of keyframes, and bytes of history."""

    keyframe_interval: int
    max_keyframes: int
    max_bytes: int

    @classmethod
    def of(cls, config: SimConfig, max_bytes: int) -> "Retention":
        """Return the limits in the config of a sim, and `max_bytes`."""
        return cls(config.keyframe_interval, config.keyframes_kept, max_bytes)

    def advance(
        self, keys: SimKeys, keyframes: tuple[KeyframeMark, ...], tick: KeyframeMark, snapshot: bytes
    ) -> HistoryStep:
        """Return what a tick does to the history. `tick` is its mark, if it is a keyframe; `bytes_before` includes the tick itself."""
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
        """Return the keyframes to keep at `tick`, when `written_bytes` of history were ever written.

        The newest one stays in any case. So does the one before a keyframe of this very tick, unless the sim has one keyframe only: what
        happened in the tick would be dropped before anyone could read it.
        """
        oldest = tick - tick % self.keyframe_interval - self.keyframe_interval * (self.max_keyframes - 1)
        is_new = bool(keyframes) and keyframes[-1].tick == tick
        newest = max(len(keyframes) - (2 if is_new and self.max_keyframes > 1 else 1), 0)
        for index, each in enumerate(keyframes[:newest]):
            if each.tick >= oldest and written_bytes - each.bytes_before <= self.max_bytes:
                return keyframes[index:] if index else keyframes
        return keyframes[newest:]


def tick_bytes(events: bytes, delta: bytes, orders: Sequence[LoggedOrder]) -> int:
    """Return about how many bytes a tick adds to the history: its events, its delta and the orders that it applied."""
    of_orders = sum(len(each.body) + len(each.issuer) + len(each.trace) + _ORDER_BYTES for each in orders)
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
    """Return the command that writes a keyframe at `key`."""
    tick = mark.tick
    return (
        *("HSET", key, tick, snapshot, f"{tick}:cursor", mark.cursor),
        *(f"{tick}:bytes", mark.bytes_before),
    )


def trim_history(keys: SimKeys, dropped: Sequence[KeyframeMark], rest: Sequence[KeyframeMark]) -> list[Command]:
    """Return the commands that delete keyframes, and all that came before the `rest` of them.

    None of them needs memory: Redis carries them out when it is full, too.
    """
    if not dropped:
        return []
    fields = [field for each in dropped for field in (each.tick, f"{each.tick}:cursor", f"{each.tick}:bytes")]
    return [
        ("HDEL", keys.keyframes, *fields),
        ("XTRIM", keys.events, "MINID", rest[0].tick + 1),
        ("XTRIM", keys.orders, "MINID", rest[0].cursor),
    ]
