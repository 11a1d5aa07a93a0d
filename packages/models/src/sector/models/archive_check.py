"""Validation of the records of an archive against their frames and against each other.

`sector.models.archive` validates each header. `HistoryChecker` validates that each record follows from the records
before it, so that an imported sim can be read and can continue. It does not need the rules of a world.
"""

from typing import NoReturn

import orjson
from pydantic import JsonValue, TypeAdapter, ValidationError

from sector.models.archive import AtMs, Founding, Keyframe, Record, StateHash, StreamId, TickEntry, TickNumber
from sector.models.config import SimConfig
from sector.models.delta import DeltaError, apply_delta
from sector.models.error_texts import describe_error
from sector.models.event_check import check_events
from sector.models.frame import VERSION, Frame, FrameError, decode, digest, encode, header_bytes, version_of
from sector.models.printable import printable, shown
from sector.models.rows import table_columns
from sector.models.validation import validate

MAX_FRAME_HEADER_BYTES = 2**24
MAX_ROWS = 2**22
"""The maximum of all tables of a frame together."""

_TICK: TypeAdapter[int] = TypeAdapter(TickNumber)
_AT_MS: TypeAdapter[int] = TypeAdapter(AtMs)
_STREAM_ID: TypeAdapter[str] = TypeAdapter(StreamId)
_STATE_HASH: TypeAdapter[str] = TypeAdapter(StateHash)
_KINDS = {Founding: "manifest", Keyframe: "keyframe", TickEntry: "tick"}
_NO_VALUE = object()


class RecordError(ValueError):
    """A record that contradicts its frames or the records before it.

    Attributes:
        record: The number of the record, from 1; None if the archive lacks a record.
        kind: `manifest`, `keyframe` or `tick`; None if the archive lacks a record.
        field: The invalid field, or None for the record as a whole.
        reason: What is wrong with it.
    """

    def __init__(self, record: int | None, kind: str | None, field: str | None, reason: str) -> None:
        where = "the archive" if record is None else f"record {record} ({kind})"
        super().__init__(f"{where}: {reason}" if field is None else f"{where}: {field}: {reason}")
        self.record = record
        self.kind = kind
        self.field = field
        self.reason = reason


class HistoryChecker:
    """Validates records in their order and computes the state after each.

    `verify_states`: whether the state after each tick must have the state hash of its record. A replay passes False,
    because it compares the states itself and shows how they differ.
    """

    def __init__(self, *, verify_states: bool) -> None:
        self._verify_states = verify_states
        self._record = 0
        self._kind: str | None = None
        self._map: Frame | None = None
        self._frame: Frame | None = None
        self._config: SimConfig | None = None
        self.tick = 0
        self.cursor = "0-0"
        self.hash = ""

    @property
    def config(self) -> SimConfig:
        """The config of the sim. Raises RecordError before the manifest record."""
        if self._config is None:
            raise RecordError(None, None, None, "it does not start with a manifest record")
        return self._config

    @property
    def frame(self) -> Frame:
        """The state after the last record, as a snapshot. Raises RecordError before the first keyframe."""
        if self._frame is None:
            raise RecordError(None, None, None, "it has no keyframe before its first tick")
        return self._frame

    def put(self, record: Record) -> None:
        """Validate the next record and apply it. Raises RecordError."""
        self._record += 1
        self._kind = _KINDS[type(record)]
        match record:
            case Founding():
                self._put_founding(record)
            case Keyframe():
                self._put_keyframe(record)
            case TickEntry():
                self._put_tick(record)

    def finish(self) -> None:
        """Validate the state after the last record.

        Raises RecordError without a state, or if clients could not read the state.
        """
        self._check_rows(self.frame)

    def _put_founding(self, record: Founding) -> None:
        if self._config is not None:
            self._fail(None, "it has a second manifest record")
        try:
            self._config = SimConfig.model_validate_json(record.config)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(("config", *(printable(str(part))[:64] for part in first["loc"])))
            self._fail(field, printable(describe_error(first)[:200]), first["input"])
        self._map = self._decode("map", record.map, "map")

    def _put_keyframe(self, record: Keyframe) -> None:
        self._check("tick", _TICK, record.tick)
        self._check("cursor", _STREAM_ID, record.cursor)
        if self._config is None:
            self._fail(None, "an archive must start with a manifest record")
        frame = self._decode("snapshot", record.snapshot, "snapshot")
        self._check_meta("snapshot", frame, record.tick)
        if self._frame is None:
            self._check_rows(frame)
            self._frame, self.tick, self.cursor, self.hash = frame, record.tick, record.cursor, digest(record.snapshot)
            return
        if record.tick != self.tick:
            self._fail("tick", f"a keyframe of tick {record.tick} follows tick {self.tick}")
        if record.cursor != self.cursor:
            self._fail("cursor", f"the last order before it is {self.cursor}", record.cursor)
        if self._verify_states and digest(record.snapshot) != self.hash:
            reason = f"it has the hash {digest(record.snapshot)}, and {self.hash} was recorded"
            self._fail("snapshot", f"a keyframe of tick {record.tick} that is not the state there: {reason}")

    def _put_tick(self, record: TickEntry) -> None:
        self._check("tick", _TICK, record.tick)
        self._check("at_ms", _AT_MS, record.at_ms)
        self._check("hash", _STATE_HASH, record.hash)
        if self._frame is None:
            self._fail(None, "it has no keyframe before its first tick")
        if record.tick != self.tick + 1:
            self._fail("tick", f"tick {record.tick} follows tick {self.tick}")
        if self._frame.meta.get("status") == "finished":
            self._fail("tick", f"tick {record.tick} follows the end of the sim")
        self._check_orders(record)
        try:
            check_events(record.events, record.tick, self._decode)
        except FrameError as error:
            self._fail("events", printable(str(error)))
        self._frame = self._advance(self._frame, record)
        self.tick, self.hash = record.tick, record.hash

    def _check_orders(self, record: TickEntry) -> None:
        for place, order in enumerate(record.orders):
            self._check(f"orders.{place}.id", _STREAM_ID, order.id)
            if _entry_id(order.id) <= _entry_id(self.cursor):
                self._fail(f"orders.{place}.id", f"it does not come after {self.cursor}", order.id)
            self.cursor = order.id

    def _advance(self, before: Frame, record: TickEntry) -> Frame:
        delta = self._decode("delta", record.delta, "delta")
        self._check_meta("delta", delta, record.tick)
        try:
            frame = apply_delta(before, delta)
        except DeltaError as error:
            self._fail("delta", printable(str(error)))
        self._check_size("delta", frame)
        # An older version encoded the state in another layout, which has another digest.
        if self._verify_states and version_of(record.delta) == VERSION and digest(encode(frame)) != record.hash:
            self._fail("hash", f"its state has the hash {digest(encode(frame))}, and {record.hash} was recorded")
        return frame

    def _decode(self, field: str, blob: bytes, kind: str) -> Frame:
        """Return the frame in a field.

        Raises RecordError if the field is not a frame of this kind, or if the frame is too large.
        """
        try:
            if (size := header_bytes(blob)) > MAX_FRAME_HEADER_BYTES:
                self._fail(field, f"its header has {size} bytes, at most {MAX_FRAME_HEADER_BYTES} are read")
            frame = decode(blob)
        except FrameError as error:
            self._fail(field, printable(str(error)))
        if frame.kind != kind:
            self._fail(field, f"it is not of the kind {kind}", frame.kind)
        self._check_size(field, frame)
        try:
            orjson.dumps(dict(frame.meta))
        except TypeError as error:
            self._fail(f"{field}.meta", f"it cannot be written: {printable(str(error))}")
        return frame

    def _check_size(self, field: str, frame: Frame) -> None:
        if (rows := sum(table.rows for table in frame.tables.values())) > MAX_ROWS:
            self._fail(field, f"it has {rows} rows, at most {MAX_ROWS} are read")

    def _check_meta(self, field: str, frame: Frame, tick: int) -> None:
        """Validate the meta fields of a snapshot that readers use."""
        frame_tick: JsonValue = frame.meta.get("tick")
        if frame_tick != tick or isinstance(frame_tick, bool | float):
            self._fail(f"{field}.meta.tick", f"the record is of tick {tick}", frame_tick)
        if (status := frame.meta.get("status", "running")) not in ("running", "finished"):
            self._fail(f"{field}.meta.status", "it must be running or finished", status)
        if not isinstance(winner := frame.meta.get("winner"), str | None):
            self._fail(f"{field}.meta.winner", "it must be a string or null", winner)

    def _check_rows(self, frame: Frame) -> None:
        """Validate that columns of a table have equal lengths, and that references point to existing rows."""
        try:
            table_columns([frame if self._map is None else self._map, frame])
        except FrameError as error:
            self._fail("snapshot", printable(str(error)))

    def _check[T](self, field: str, kind: TypeAdapter[T], value: T) -> None:
        if reason := validate(kind, value):
            self._fail(field, reason, value)

    def _fail(self, field: str | None, reason: str, value: object = _NO_VALUE) -> NoReturn:
        detail = reason if value is _NO_VALUE else f"{reason}; it is {shown(value)}"
        raise RecordError(self._record, self._kind, field, detail)


def _entry_id(text: str) -> tuple[int, int]:
    ms, _, number = text.partition("-")
    return int(ms), int(number)
