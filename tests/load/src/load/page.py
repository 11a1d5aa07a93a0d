"""The messages of the page, as far as a spectator needs them: the tick, and the time of its commit."""

import struct
import zlib

from sector.models.frame import decode

_HEADER = struct.Struct("<IIdII")


def tick_of(blob: bytes) -> tuple[int, float]:
    """Return the tick of a moment as the viz sends it, and when it was committed, in ms since 1970."""
    message = zlib.decompress(blob, wbits=-zlib.MAX_WBITS)
    size, _, at_ms, _, _ = _HEADER.unpack_from(message)
    tick = decode(message[_HEADER.size : _HEADER.size + size]).meta["tick"]
    if not isinstance(tick, int):
        raise TypeError(f"a frame whose tick is {tick!r}")
    return tick, at_ms
