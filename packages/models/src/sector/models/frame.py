"""Frames: named tables of columns as one binary blob, which readers decode without knowledge of the world.

Snapshots, maps, deltas and events are frames. Layout, little-endian:

    4 bytes  magic b"SECF"
    u16      version of this layout
    u16      0
    u32      length of the header
    header   JSON: kind, meta, and for each table its rows, columns (name, typecode, table referred to) and labels
    columns  in the order of the header, each aligned to 8 bytes
    16 bytes XXH3-128 of all bytes before it, big-endian: the digest of the frame

Equal frames have equal bytes. The digest of a snapshot is its state hash. The meta of a snapshot contains the digest of the
snapshot before it, so state hashes form a chain. The digest detects accidents, not forgery: it has no key.

Version 1 is still supported for reading. It had columns without a prefix, and BLAKE2b as digest.
"""

import struct
import sys
from collections.abc import Callable, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Literal, NamedTuple, Self

import orjson
import xxhash
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from sector.models.error_texts import describe_error

VERSION = 2
_MAGIC = b"SECF"
_PREFIX = struct.Struct("<4sHHI")
_DIGEST_BYTES = 16
_DIGESTS: Mapping[int, Callable[[memoryview], bytes]] = {
    1: lambda body: blake2b(body, digest_size=_DIGEST_BYTES).digest(),
    2: lambda body: xxhash.xxh3_128(body).digest(),
}
"""For each version, the digest of the bytes before it."""

_FEW_VALUES = 2**13
_ITEM_BYTES = {"?": 1, "b": 1, "h": 2, "i": 4, "q": 8}
_CODES = {"?": "?", "b": "b", "h": "h", "i": "i", "l": "q", "q": "q"}
"""The typecode for each format of a memoryview. A C long has 8 bytes on all supported platforms."""

type Values = memoryview[int] | memoryview[bool]


class FrameError(ValueError):
    """Bytes that are not a frame of a supported version. `reason`: what is wrong with them."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the frame cannot be read: {reason}")
        self.reason = reason


class Column(NamedTuple):
    """The values of one column: bool, or signed integers of 8, 16, 32 or 64 bits.

    With `refers_to` they are row numbers of that table. With `prefix` they are the numbers of ids: 7 stands for `S7`. A
    negative value stands for null in both.
    """

    values: Values
    refers_to: str | None = None
    prefix: str = ""

    @property
    def typecode(self) -> str:
        """The code of the dtype in the header: ?, b, h, i or q, as in the module `struct`."""
        return _CODES[self.values.format]


class Table(NamedTuple):
    """Columns and labels (text columns) of equal length `rows`.

    The id of a row is its label `id`. Without such a label it is `prefix` with the value of the column `id`, or with
    the row number.
    """

    rows: int
    columns: Mapping[str, Column] = MappingProxyType({})
    labels: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    prefix: str = ""


class Frame(NamedTuple):
    """Tables by name, with a kind and the meta fields of the whole frame."""

    kind: str
    meta: Mapping[str, JsonValue]
    tables: Mapping[str, Table]


type _Typecode = Literal["?", "b", "h", "i", "q"]


class _TableHeader(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    rows: int = Field(ge=0, lt=2**31)
    prefix: str
    columns: list[tuple[str, _Typecode, str | None, str] | tuple[str, _Typecode, str | None]]
    labels: dict[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _rows_are_held(self) -> Self:
        if self.rows and not (self.columns or self.labels):
            raise ValueError(f"a table of {self.rows} rows has no column")
        return self


class _FrameHeader(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str
    meta: dict[str, JsonValue]
    tables: dict[str, _TableHeader]


def encode(frame: Frame) -> bytes:
    """Return the encoded frame. Raises ValueError if a column or label is not as long as its table."""
    if sys.byteorder != "little":
        raise OSError("frames need a little-endian machine, and this one is big-endian")
    tables: dict[str, dict[str, object]] = {}
    values: list[bytes | Values] = []
    for name, table in sorted(frame.tables.items()):
        tables[name] = _header(name, table, values)
    header = orjson.dumps({"kind": frame.kind, "meta": dict(frame.meta), "tables": tables}, option=orjson.OPT_SORT_KEYS)
    padding = bytes(-(_PREFIX.size + len(header)) % 8)
    parts = [_PREFIX.pack(_MAGIC, VERSION, 0, len(header)), header, padding, *values]
    if sum(map(len, parts)) < _FEW_VALUES:
        body = b"".join(parts)
        return body + xxhash.xxh3_128_digest(body)
    # Two updates of the digest cost less than a copy of a large body.
    hasher = xxhash.xxh3_128()
    for part in parts:
        hasher.update(part)
    return b"".join([*parts, hasher.digest()])


def _header(name: str, table: Table, values: list[bytes | Values]) -> dict[str, object]:
    """Return the header of a table, and append the values of its columns to `values`."""
    if table.rows and not (table.columns or table.labels):
        raise ValueError(f"{name} has {table.rows} rows and no column")
    columns: list[tuple[str, str, str | None, str]] = []
    for column_name, (held, refers_to, prefix) in sorted(table.columns.items()):
        if len(held) != table.rows:
            raise ValueError(f"{name}.{column_name} has {len(held)} values, its table {table.rows} rows")
        code = _CODES.get(held.format)
        if code is None:
            raise ValueError(f"{name}.{column_name} has the type {held.format!r}: use bool or a signed integer")
        columns.append((column_name, code, refers_to, prefix))
        values.append(held)
        if odd := held.nbytes % 8:
            values.append(bytes(8 - odd))
    for label_name, label in table.labels.items():
        if len(label) != table.rows:
            raise ValueError(f"{name}.{label_name} has {len(label)} labels, its table {table.rows} rows")
    return {"rows": table.rows, "prefix": table.prefix, "columns": columns, "labels": dict(table.labels)}


def digest(blob: bytes) -> str:
    """Return the digest of an encoded frame as 32 hex digits. For a snapshot it is the state hash."""
    return blob[-_DIGEST_BYTES:].hex()


def version_of(blob: bytes) -> int:
    """Return the layout version of an encoded frame. Raises FrameError if it is too short."""
    return _prefix(blob)[1]


def header_bytes(blob: bytes) -> int:
    """Return the header length, in bytes, that an encoded frame states. Raises FrameError if it is too short."""
    return _prefix(blob)[2]


def _prefix(blob: bytes) -> tuple[bytes, int, int]:
    if len(blob) < _PREFIX.size + _DIGEST_BYTES:
        raise FrameError(f"{len(blob)} bytes are too short for a frame")
    magic, version, _, length = _PREFIX.unpack_from(blob)
    return magic, version, length


def decode(blob: bytes) -> Frame:
    """Return the frame in `blob`. Its columns are views of `blob`, without a copy.

    Raises FrameError for bytes that `encode` cannot produce.
    """
    header, start = _read_header(blob)
    view, end = memoryview(blob), len(blob) - _DIGEST_BYTES
    tables: dict[str, Table] = {}
    for name, table in sorted(header.tables.items()):
        columns: dict[str, Column] = {}
        for column_name, typecode, refers_to, *rest in table.columns:
            stop = start + table.rows * _ITEM_BYTES[typecode]
            if stop > end:
                raise FrameError(f"column {name}.{column_name} extends past the end of the frame")
            if refers_to is not None and refers_to == name:
                raise FrameError(f"column {name}.{column_name} refers to its own table")
            columns[column_name] = Column(view[start:stop].cast(typecode), refers_to, *rest)
            start = stop + -stop % 8
        for label, texts in table.labels.items():
            if len(texts) != table.rows:
                raise FrameError(f"{name}.{label} has {len(texts)} labels for {table.rows} rows")
        tables[name] = Table(table.rows, columns, table.labels, table.prefix)
    if start != end:
        raise FrameError(f"it has {end - start} bytes after its columns")
    return Frame(header.kind, header.meta, tables)


def _read_header(blob: bytes) -> tuple[_FrameHeader, int]:
    magic, version, length = _prefix(blob)
    if magic != _MAGIC:
        raise FrameError("it does not start with SECF")
    if version not in _DIGESTS:
        raise FrameError(f"version {version} is not supported, only {', '.join(map(str, _DIGESTS))}")
    body = memoryview(blob)[:-_DIGEST_BYTES]
    if _DIGESTS[version](body) != blob[-_DIGEST_BYTES:]:
        raise FrameError("its digest does not match: it is truncated or was changed")
    stop = _PREFIX.size + length
    if stop > len(body):
        raise FrameError("its header extends past the end of the frame")
    try:
        header = _FrameHeader.model_validate_json(bytes(body[_PREFIX.size : stop]))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # Parts in brackets are names that pydantic gives to the members of a union.
        field = ".".join(str(part) for part in first["loc"] if "[" not in str(part)) or "(all)"
        raise FrameError(f"header field {field}: {describe_error(first)}") from error
    return header, stop + -stop % 8
