"""Encodes what a page needs to show one tick, called a moment on the wire. Frames are passed on as Redis stores them.

Little-endian: u32 length of the first frame, u32 length of the second, f64 time of the commit (ms since 1970; 0 if it is unknown),
u32 epoch of the lease, u32 0; then the two frames, each padded to 8 bytes. The first is a snapshot or a delta, the second the
events of the tick, which may be empty. Moments follow each other without anything between.
"""

import struct
import zlib

from sector.state.history.event_codec import TickEvents

_HEADER = struct.Struct("<IIdII")
_LEVEL = 6
CONTENT_TYPE = "application/vnd.sector.moments"


def encode_tick(frame: bytes, events: bytes, at_ms: int, epoch: int) -> bytes:
    """Return the moment of a state or a delta, and of the events of its tick."""
    return b"".join(
        (
            _HEADER.pack(len(frame), len(events), at_ms, epoch, 0),
            frame,
            bytes(-len(frame) % 8),
            events,
            bytes(-len(events) % 8),
        )
    )


def encode_tick_events(tick: TickEvents) -> bytes:
    """Return the moment of a tick: its delta and its events."""
    return encode_tick(tick.delta, tick.events_frame, tick.at_ms, tick.epoch)


def deflate(blob: bytes) -> bytes:
    """Return `blob` compressed with raw DEFLATE (RFC 1951), which browsers can inflate."""
    compressor = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
    return compressor.compress(blob) + compressor.flush()
