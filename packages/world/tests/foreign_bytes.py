"""What must hold whatever bytes a snapshot is made of: it is played, or refused by a FrameError."""

import xxhash

from sector.models import Puppet, SimConfig
from sector.models.frame import FrameError, decode
from sector.models.rows import event_rows, table_rows
from sector.world import SectorWorld

CONFIG = SimConfig(seed=4, systems=9, homes=2, puppets=(Puppet(faction="Crimson"),))
WORLD = SectorWorld()
MAP, _FOUNDED = WORLD.found(CONFIG)


def played(ticks: int) -> tuple[bytes, bytes]:
    """Return the snapshot and the events after some ticks."""
    position, snapshot, events = WORLD.load(CONFIG, MAP, _FOUNDED), _FOUNDED, b""
    for _ in range(ticks):
        step = WORLD.advance(position, [])
        position, snapshot, events = step.state, step.snapshot, step.events
    return snapshot, events


def sealed(body: bytes) -> bytes:
    """Return bytes with the digest that makes them believable."""
    return body + xxhash.xxh3_128(body).digest()


def use(blob: bytes) -> bool:
    """Do with the bytes all that a worker or an API does; says whether they were believed."""
    try:
        frame = decode(blob)
        event_rows(frame)
        table_rows([frame])
        position = WORLD.load(CONFIG, MAP, blob)
        if position.state.status == "running":
            WORLD.advance(position, [])
        WORLD.load(CONFIG, blob, _FOUNDED)
    except FrameError:
        return False
    return True
