"""A moment: what a page needs to show one tick, as bytes. Frames are passed on as they lie in Redis.

Little-endian: u32 length of the first frame, u32 length of the second, f64 when it was committed (ms since 1970; 0 where that is not
kept), u32 epoch of the lease, u32 0; then the two frames, each padded to 8 bytes. The first is a snapshot or a delta, the second the
events of the tick, which may be empty. Moments follow each other without anything between.
"""

import struct
import zlib

from sector.state.history.event_codec import TickEvents

_HEADER = struct.Struct("<IIdII")
_LEVEL = 6
KIND = "application/vnd.sector.moments"


def packed(frame: bytes, events: bytes, at_ms: int, epoch: int) -> bytes:
    """Return a moment."""
    return b"".join(
        (
            _HEADER.pack(len(frame), len(events), at_ms, epoch, 0),
            frame,
            bytes(-len(frame) % 8),
            events,
            bytes(-len(events) % 8),
        )
    )


def of_tick(tick: TickEvents) -> bytes:
    """Return the moment of a tick: its delta and its events."""
    return packed(tick.delta, tick.events_frame, tick.at_ms, tick.epoch)


def deflated(blob: bytes) -> bytes:
    """Return `blob` compressed (RFC 1951), as browsers can inflate it."""
    packer = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
    return packer.compress(blob) + packer.flush()
