"""Frames of older versions can be read, and sims continue from them."""

from base64 import b85decode
from importlib.resources import files

from sector.models import Puppet, SimConfig
from sector.models.frame import VERSION, decode, encode
from sector.world import SectorWorld

CONFIG = SimConfig(seed=4, systems=9, homes=2, puppets=(Puppet(faction="Crimson"),))


def read_recording(name: str) -> bytes:
    """Return a frame of version 1, written before version 2 existed."""
    return b85decode(files("version_1").joinpath(f"{name}.b85").read_text())


def test_a_snapshot_of_version_1_is_written_as_the_newest_version() -> None:
    old = read_recording("snapshot")
    assert old[4:6] == b"\x01\x00"
    frame = decode(old)
    again = encode(frame)
    assert int.from_bytes(again[4:6], "little") == VERSION
    assert decode(again).meta == frame.meta
    assert frame.meta["tick"] == 14


def test_a_sim_of_version_1_continues() -> None:
    world = SectorWorld()
    position = world.load(CONFIG, read_recording("map"), read_recording("snapshot"))
    assert position.state.ships.tolist() == [18, 18, 33, 27, 12, 33, 26, 60, 11]
    assert position.state.fleets.id.tolist() == [4, 5]
    step = world.advance(position, [])
    assert decode(step.snapshot).meta["parent"] == position.digest
    assert step.state.state.tick == 15
