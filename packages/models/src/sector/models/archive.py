"""Archives: a whole sim in one file, with its config, its map, its keyframes, and the orders and effects of each tick.

Layout, little-endian: 8 bytes magic, then records. Each record consists of

    u32      length of the header
    u64      length of the body
    header   JSON; its `kind` is the type of the body
    body     the bytes that the header describes
    8 bytes  XXH3-64 of header and body, big-endian

The last record is of kind `end`. A file without it was truncated. The digests detect accidents but not forgery, because they have no
key. So this module validates the range of each header field, and `archive_check` validates the bodies.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, BinaryIO, Literal

import xxhash
from pydantic import BaseModel, ConfigDict, FailFast, Field, TypeAdapter, ValidationError

from sector.models.deprecated_names import deprecated_names
from sector.models.error_texts import describe_error
from sector.models.field_types import SimId
from sector.models.printable import printable, shown
from sector.models.step import LoggedOrder

MAGIC = b"SECTLOG\x01"
_PREFIX = struct.Struct("<IQ")
_DIGEST_BYTES = 8
_CHUNK_BYTES = 2**20

MAX_HEADER_BYTES = 2**24
MAX_BODY_BYTES = 2**29
MAX_FRAME_BYTES = 2**28
_MAX_CONFIG_BYTES = 2**25
_MAX_ORDER_BYTES = 2**24
_MAX_ORDERS = 10_000
"""The maximum of one tick. A worker applies no more."""

_SMALL_HEADER = 2**16
_MAX_TOKENS = 200_000
"""The maximum of strings, commas and brackets in a header. Each takes up to 300 bytes parsed. The largest tick has 100,000."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?+|[,\[{]', re.DOTALL)

FrameLength = Annotated[int, Field(ge=0, lt=MAX_FRAME_BYTES)]
TickNumber = Annotated[int, Field(ge=0, lt=2**53)]
AtMs = Annotated[int, Field(ge=0, lt=253_402_300_800_000)]
"""Milliseconds since 1970, before the year 10000."""

STREAM_ID = "(0|[1-9][0-9]{0,14})-(0|[1-9][0-9]{0,17})"
StreamId = Annotated[str, Field(pattern=f"^{STREAM_ID}$")]
"""Id of an entry of a Redis stream. It leaves room for later entries, far below the last id that Redis supports."""

StateHash = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
_Text = Annotated[str, Field(max_length=2**16)]


class ArchiveError(ValueError):
    """A file that is not an archive, or is truncated or damaged. `position`: offset of the record in bytes. `reason`: the error."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"the archive is damaged at byte {position}: {reason}")
        self.position = position
        self.reason = reason


class ArchiveFieldError(ArchiveError):
    """A field of a header that is out of range. `record`: its number, from 1. `value`: shortened to about 60 characters."""

    def __init__(self, position: int, record: int, field: str, value: object, reason: str) -> None:
        super().__init__(position, f"record {record}: header field {field}: {printable(reason)}; it is {shown(value)}")
        self.record = record
        self.field = field
        self.value = shown(value)


@dataclass(frozen=True, slots=True)
class Founding:
    """The manifest of a sim: its id, its config as JSON, and its map as an encoded frame. They never change."""

    sim_id: str
    config: bytes
    map: bytes


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A snapshot, as an encoded frame. `cursor`: the id of the last order that was applied before it."""

    tick: int
    cursor: str
    snapshot: bytes


@dataclass(frozen=True, slots=True)
class TickEntry:
    """One tick. `at_ms`: its commit, in ms since 1970. `hash`: the state hash, 32 hex digits. `events` and `delta`: encoded frames."""

    tick: int
    at_ms: int
    hash: str
    orders: tuple[LoggedOrder, ...]
    events: bytes
    delta: bytes


type Record = Founding | Keyframe | TickEntry


class _RecordHeader(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _FoundingHeader(_RecordHeader):
    kind: Literal["founding"] = "founding"
    sim_id: SimId
    config: Annotated[int, Field(ge=0, lt=_MAX_CONFIG_BYTES)]
    map: FrameLength


class _KeyframeHeader(_RecordHeader):
    kind: Literal["keyframe"] = "keyframe"
    tick: TickNumber
    cursor: StreamId
    snapshot: FrameLength


class _TickHeader(_RecordHeader):
    kind: Literal["tick"] = "tick"
    tick: Annotated[TickNumber, Field(ge=1)]
    at_ms: AtMs
    hash: StateHash
    orders: Annotated[
        list[tuple[StreamId, _Text, bool, Annotated[int, Field(ge=0, lt=_MAX_ORDER_BYTES)]]],
        Field(max_length=_MAX_ORDERS),
        FailFast(),
    ]
    faults: dict[StreamId, _Text] = Field(default_factory=dict, exclude_if=lambda faults: not faults)
    events: FrameLength
    delta: FrameLength


class _EndHeader(_RecordHeader):
    kind: Literal["end"] = "end"


type _AnyHeader = _FoundingHeader | _KeyframeHeader | _TickHeader | _EndHeader
_HEADER: TypeAdapter[_AnyHeader] = TypeAdapter(
    Annotated[_FoundingHeader | _KeyframeHeader | _TickHeader | _EndHeader, Field(discriminator="kind")]
)


class ArchiveWriter:
    """Writes the records of an archive to a binary stream. The archive is complete after `close`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._position = stream.write(MAGIC)
        self._records = 0

    def write(self, record: Record) -> None:
        """Write one record. Raises ArchiveFieldError for a record that `read_archive` would reject."""
        self._records += 1
        try:
            header, bodies = _header_of(record)
        except ValidationError as error:
            raise _field_error(error, self._position, self._records) from error
        self._put(header, bodies)

    def close(self) -> None:
        """Write the end record. The stream stays open."""
        self._put(_EndHeader(), ())

    def _put(self, header: _AnyHeader, bodies: Iterable[bytes]) -> None:
        text, body = _HEADER.dump_json(header), b"".join(bodies)
        self._stream.write(_PREFIX.pack(len(text), len(body)))
        self._stream.write(text)
        self._stream.write(body)
        self._stream.write(xxhash.xxh3_64(text + body).digest())
        self._position += _PREFIX.size + len(text) + len(body) + _DIGEST_BYTES


def _header_of(record: Record) -> tuple[_AnyHeader, tuple[bytes, ...]]:
    """Return the header of a record, and the parts of its body. Raises ValidationError."""
    match record:
        case Founding():
            header = _FoundingHeader(sim_id=record.sim_id, config=len(record.config), map=len(record.map))
            return header, (record.config, record.map)
        case Keyframe():
            keyframe = _KeyframeHeader(tick=record.tick, cursor=record.cursor, snapshot=len(record.snapshot))
            return keyframe, (record.snapshot,)
        case TickEntry():
            tick = _TickHeader(
                tick=record.tick,
                at_ms=record.at_ms,
                hash=record.hash,
                orders=[(order.id, order.issuer, order.admin, len(order.body)) for order in record.orders],
                faults={order.id: order.fault for order in record.orders if order.fault},
                events=len(record.events),
                delta=len(record.delta),
            )
            return tick, (*(order.body for order in record.orders), record.events, record.delta)


def read_archive(stream: BinaryIO) -> Iterator[Record]:
    """Yield the records of an archive in their order, one at a time. Raises ArchiveError at the first one that is invalid."""
    magic = stream.read(len(MAGIC))
    if magic != MAGIC:
        is_archive = len(magic) == len(MAGIC) and magic[:-1] == MAGIC[:-1]
        raise ArchiveError(0, f"version {magic[-1]} is not supported" if is_archive else "it is not a Sector archive")
    position, number = len(MAGIC), 1
    while True:
        prefix = _exactly(stream, _PREFIX.size, position)
        header_bytes, body_bytes = _PREFIX.unpack(prefix)
        if header_bytes > MAX_HEADER_BYTES:
            raise ArchiveError(position, f"its header has {header_bytes} bytes, above the limit of {MAX_HEADER_BYTES}")
        if body_bytes > MAX_BODY_BYTES:
            raise ArchiveError(position, f"its body has {body_bytes} bytes, above the limit of {MAX_BODY_BYTES}")
        text = _exactly(stream, header_bytes, position)
        header = _header(text, position, number)
        if body_bytes != _body_bytes(header):
            raise ArchiveError(
                position, f"a body of {body_bytes} bytes where its header describes {_body_bytes(header)}"
            )
        body = _exactly(stream, body_bytes, position)
        if xxhash.xxh3_64(text + body).digest() != _exactly(stream, _DIGEST_BYTES, position):
            raise ArchiveError(position, "its digest does not match: it was changed")
        if isinstance(header, _EndHeader):
            return
        yield _record(header, body)
        position += _PREFIX.size + header_bytes + body_bytes + _DIGEST_BYTES
        number += 1


def _exactly(stream: BinaryIO, count: int, position: int) -> bytes:
    """Read `count` bytes in chunks, so that a wrong length cannot allocate much memory."""
    parts: list[bytes] = []
    left = count
    while left:
        part = stream.read(min(left, _CHUNK_BYTES))
        if not part:
            raise ArchiveError(position, "it ends in the middle of a record, or without its end record")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _header(text: bytes, position: int, number: int) -> _AnyHeader:
    # The count needs no parsing: a small text can make very many objects.
    if len(text) > _SMALL_HEADER and next(islice(_TOKEN.finditer(text), _MAX_TOKENS, None), None) is not None:
        raise ArchiveError(position, f"record {number}: its header has more than {_MAX_TOKENS} strings and values")
    try:
        return _HEADER.validate_json(text)
    except ValidationError as error:
        raise _field_error(error, position, number) from error


def _field_error(error: ValidationError, position: int, number: int) -> ArchiveFieldError:
    first = error.errors(include_url=False)[0]
    field = ".".join(printable(str(part))[:64] for part in first["loc"])
    return ArchiveFieldError(position, number, field, first["input"], describe_error(first)[:200])


def _body_bytes(header: _AnyHeader) -> int:
    match header:
        case _FoundingHeader():
            return header.config + header.map
        case _KeyframeHeader():
            return header.snapshot
        case _TickHeader():
            return sum(order[3] for order in header.orders) + header.events + header.delta
        case _EndHeader():
            return 0


def _record(header: _FoundingHeader | _KeyframeHeader | _TickHeader, body: bytes) -> Record:
    match header:
        case _FoundingHeader():
            return Founding(header.sim_id, body[: header.config], body[header.config :])
        case _KeyframeHeader():
            return Keyframe(header.tick, header.cursor, body)
        case _TickHeader():
            orders: list[LoggedOrder] = []
            start = 0
            for order_id, issuer, admin, length in header.orders:
                fault = header.faults.get(order_id)
                orders.append(LoggedOrder(order_id, issuer, admin, body[start : start + length], fault))
                start += length
            events, delta = body[start : start + header.events], body[start + header.events :]
            return TickEntry(header.tick, header.at_ms, header.hash, tuple(orders), events, delta)


__getattr__ = deprecated_names(__name__, {"FieldError": "ArchiveFieldError"})
