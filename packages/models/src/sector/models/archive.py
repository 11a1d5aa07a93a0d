"""Archive: a sim as one file: how it was founded, keyframes, and tick by tick the orders and what came of them.

Layout, little-endian: 8 bytes magic, then records, each

    u32      length of its header
    u64      length of its body
    header   JSON, by whose `kind` the body is told apart
    body     the bytes that the header describes
    8 bytes  XXH3-64 of header and body, big-endian

The last record is of kind `end`: a file without it was cut off.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Literal

import xxhash
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sector.models.step import LoggedOrder

MAGIC = b"SECTLOG\x01"
_PREFIX = struct.Struct("<IQ")
_DIGEST_BYTES = 8
_LONGEST_HEADER = 2**28
_CHUNK_BYTES = 2**20

Length = Annotated[int, Field(ge=0, lt=2**40)]


class ArchiveError(ValueError):
    """A file that is no archive, or not a whole one. `position`: bytes from its beginning; `reason`: what is wrong there."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"not a readable archive: at byte {position}: {reason}")
        self.position = position
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Founding:
    """What never changes about a sim: its config, as JSON, and its map."""

    sim_id: str
    config: bytes
    map: bytes


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A whole snapshot. `cursor`: id of the last order applied to it."""

    tick: int
    cursor: str
    snapshot: bytes


@dataclass(frozen=True, slots=True)
class TickEntry:
    """A tick: the orders applied in it, and what came of them: state hash, events and delta. `at_ms`: the worker's clock."""

    tick: int
    at_ms: int
    hash: str
    orders: tuple[LoggedOrder, ...]
    events: bytes
    delta: bytes


type Record = Founding | Keyframe | TickEntry


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _FoundingHeader(_Header):
    kind: Literal["founding"] = "founding"
    sim_id: str
    config: Length
    map: Length


class _KeyframeHeader(_Header):
    kind: Literal["keyframe"] = "keyframe"
    tick: int
    cursor: str
    snapshot: Length


class _TickHeader(_Header):
    kind: Literal["tick"] = "tick"
    tick: int
    at_ms: int
    hash: str
    orders: list[tuple[str, str, bool, Length]]
    faults: dict[str, str] = Field(default_factory=dict, exclude_if=lambda faults: not faults)
    events: Length
    delta: Length


class _EndHeader(_Header):
    kind: Literal["end"] = "end"


type _AnyHeader = _FoundingHeader | _KeyframeHeader | _TickHeader | _EndHeader
_HEADER: TypeAdapter[_AnyHeader] = TypeAdapter(
    Annotated[_FoundingHeader | _KeyframeHeader | _TickHeader | _EndHeader, Field(discriminator="kind")]
)


class ArchiveWriter:
    """Writes records one by one. A file is whole once `close` has been called."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        stream.write(MAGIC)

    def write(self, record: Record) -> None:
        """Write one record."""
        match record:
            case Founding():
                header = _FoundingHeader(sim_id=record.sim_id, config=len(record.config), map=len(record.map))
                self._put(header, (record.config, record.map))
            case Keyframe():
                keyframe = _KeyframeHeader(tick=record.tick, cursor=record.cursor, snapshot=len(record.snapshot))
                self._put(keyframe, (record.snapshot,))
            case TickEntry():
                orders = [(order.id, order.issuer, order.admin, len(order.body)) for order in record.orders]
                tick = _TickHeader(
                    tick=record.tick,
                    at_ms=record.at_ms,
                    hash=record.hash,
                    orders=orders,
                    faults={order.id: order.fault for order in record.orders if order.fault},
                    events=len(record.events),
                    delta=len(record.delta),
                )
                self._put(tick, (*(order.body for order in record.orders), record.events, record.delta))

    def close(self) -> None:
        """Write the end. The stream stays open."""
        self._put(_EndHeader(), ())

    def _put(self, header: _AnyHeader, bodies: Iterable[bytes]) -> None:
        text, body = _HEADER.dump_json(header), b"".join(bodies)
        self._stream.write(_PREFIX.pack(len(text), len(body)))
        self._stream.write(text)
        self._stream.write(body)
        self._stream.write(xxhash.xxh3_64(text + body).digest())


def read_archive(stream: BinaryIO) -> Iterator[Record]:
    """Yield the records of an archive, in their order. Raises ArchiveError where the file is none, or ends too early."""
    magic = stream.read(len(MAGIC))
    if magic != MAGIC:
        known = len(magic) == len(MAGIC) and magic[:-1] == MAGIC[:-1]
        raise ArchiveError(0, f"version {magic[-1]} is not known" if known else "it does not begin as one")
    position = len(MAGIC)
    while True:
        prefix = _exactly(stream, _PREFIX.size, position)
        header_bytes, body_bytes = _PREFIX.unpack(prefix)
        if header_bytes > _LONGEST_HEADER:
            raise ArchiveError(position, f"a header of {header_bytes} bytes")
        text = _exactly(stream, header_bytes, position)
        header = _header(text, position)
        if body_bytes != _body_bytes(header):
            raise ArchiveError(
                position, f"a body of {body_bytes} bytes where its header describes {_body_bytes(header)}"
            )
        body = _exactly(stream, body_bytes, position)
        if xxhash.xxh3_64(text + body).digest() != _exactly(stream, _DIGEST_BYTES, position):
            raise ArchiveError(position, "its digest does not match: altered")
        if isinstance(header, _EndHeader):
            return
        yield _record(header, body)
        position += _PREFIX.size + header_bytes + body_bytes + _DIGEST_BYTES


def _exactly(stream: BinaryIO, count: int, position: int) -> bytes:
    """Read `count` bytes, in parts: a length that is not true must not claim memory."""
    parts: list[bytes] = []
    left = count
    while left:
        part = stream.read(min(left, _CHUNK_BYTES))
        if not part:
            raise ArchiveError(position, "it ends here, in the middle of a record or without its end")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _header(text: bytes, position: int) -> _AnyHeader:
    try:
        return _HEADER.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise ArchiveError(position, f"header field {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


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
                fault = header.faults.get(order_id, "")
                orders.append(LoggedOrder(order_id, issuer, admin, body[start : start + length], fault))
                start += length
            events, delta = body[start : start + header.events], body[start + header.events :]
            return TickEntry(header.tick, header.at_ms, header.hash, tuple(orders), events, delta)
