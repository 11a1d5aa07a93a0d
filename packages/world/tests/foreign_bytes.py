"""The invariant for arbitrary snapshot bytes: the world plays them, or rejects them with a FrameError."""

import contextlib

from sector.models import Puppet, SimConfig
from sector.models.archive import Founding, Keyframe, TickEntry
from sector.models.archive_check import HistoryChecker, RecordError
from sector.models.event_check import check_events
from sector.models.frame import Frame, FrameError, decode
from sector.models.rows import event_rows, table_rows
from sector.world import SectorWorld

CONFIG = SimConfig(seed=4, systems=9, homes=2, puppets=(Puppet(faction="Crimson"),))
WORLD = SectorWorld()
MAP, _FOUNDED = WORLD.create(CONFIG)
_CONFIG = CONFIG.model_dump_json().encode()


def play_world(ticks: int) -> tuple[bytes, bytes]:
    """Return the snapshot and the events after a number of ticks."""
    position, snapshot, events = WORLD.load(CONFIG, MAP, _FOUNDED), _FOUNDED, b""
    for _ in range(ticks):
        step = WORLD.advance(position, [])
        position, snapshot, events = step.state, step.snapshot, step.events
    return snapshot, events


def _check(frame: Frame, blob: bytes) -> None:
    """Validate the bytes as parts of an archive. Each part is accepted or rejected."""
    tick = frame.meta.get("tick")
    at = tick if isinstance(tick, int) and tick > 0 else 1
    founding, keyframe = Founding("default", _CONFIG, MAP), Keyframe(0, "0-0", _FOUNDED)
    for records in (
        (Founding("default", _CONFIG, blob), keyframe),
        (founding, Keyframe(at, "0-0", blob), TickEntry(at + 1, 1, "0" * 32, (), blob, blob)),
        (founding, keyframe, TickEntry(1, 1, "0" * 32, (), b"[]", blob)),
    ):
        checker = HistoryChecker(verify_states=True)
        with contextlib.suppress(RecordError):
            for record in records:
                checker.put(record)
            checker.finish()
    with contextlib.suppress(FrameError):
        check_events(blob, at, lambda *_: frame)


def is_accepted(blob: bytes) -> bool:
    """Use the bytes as a worker or an API does. Return whether they were accepted."""
    try:
        frame = decode(blob)
        event_rows(frame)
        table_rows([frame])
        _check(frame, blob)
        position = WORLD.load(CONFIG, MAP, blob)
        if position.state.status == "running":
            WORLD.advance(position, [])
        WORLD.load(CONFIG, blob, _FOUNDED)
    except FrameError:
        return False
    return True
