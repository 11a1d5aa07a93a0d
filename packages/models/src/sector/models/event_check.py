"""Validation of the events of a tick that comes from a file. Readers of stored events do not validate them again."""

import re
from collections.abc import Callable, Sequence

import orjson
from pydantic import JsonValue
from pydantic_core import from_json

from sector.models.frame import Frame, FrameError
from sector.models.printable import shown
from sector.models.rows import event_rows

_MAX_JSON_BYTES = 2**24
_TYPE = re.compile("[a-z][a-z0-9_]{0,63}")
_RESERVED = ("id", "at_ms")
"""Fields that a reader adds to each event."""


def check_events(blob: bytes, tick: int, decode: Callable[[str, bytes, str], Frame]) -> None:
    """Raise FrameError unless `blob` contains the events of `tick` in a form that the API can send.

    `decode`: decodes the frame of a field; its arguments are the field, the bytes and the kind of the frame.
    """
    if blob.startswith(b"["):  # version 0.1 stored events as JSON
        rows = _parse(blob)
    else:
        frame = decode("events", blob, "events")
        if frame.meta.get("tick", tick) != tick:
            raise FrameError(f"the events have the invalid tick {shown(frame.meta['tick'])}")
        rows = event_rows(frame)
    for row in rows:
        _check_row(row)


def _parse(blob: bytes) -> Sequence[JsonValue]:
    if len(blob) > _MAX_JSON_BYTES:
        raise FrameError(f"the events have {len(blob)} bytes of JSON, above the limit of {_MAX_JSON_BYTES}")
    try:
        rows: list[JsonValue] = from_json(blob)
        orjson.dumps(rows)
    except (ValueError, TypeError) as error:
        raise FrameError("the events are not JSON, or contain a number of more than 64 bits") from error
    return rows


def _check_row(row: JsonValue) -> None:
    if not isinstance(row, dict):
        raise FrameError(f"an event is not an object: {shown(row)}")
    kind = row.get("type")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise FrameError(f"an event has the invalid type {shown(kind)}")
    if name := next((name for name in _RESERVED if name in row), None):
        raise FrameError(f"an event has the reserved field {name}: {shown(row[name])}")
