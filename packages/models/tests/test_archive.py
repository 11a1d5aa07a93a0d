"""Archives: records survive a round trip, and truncated, altered or invalid files are rejected."""

import io
import json
import struct
import tracemalloc

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from sector.models.archive import (
    ArchiveError,
    ArchiveFieldError,
    ArchiveWriter,
    Founding,
    Keyframe,
    Record,
    TickEntry,
    read_archive,
)
from sector.models.step import LoggedOrder

_numbers, _texts, _bytes = st.integers(0, 2**40), st.text(max_size=8), st.binary(max_size=40)
_ids = st.builds("{}-{}".format, st.integers(0, 10**15 - 1), st.integers(0, 10**18 - 1))
_hashes = st.binary(min_size=16, max_size=16).map(bytes.hex)
_orders = st.lists(st.builds(LoggedOrder, _ids, _texts, st.booleans(), _bytes), max_size=3).map(tuple)
_records: st.SearchStrategy[Record] = st.one_of(
    st.builds(Founding, st.from_regex("[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True), _bytes, _bytes),
    st.builds(Keyframe, st.integers(0, 2**53 - 1), _ids, _bytes),
    st.builds(TickEntry, st.integers(1, 2**53 - 1), _numbers, _hashes, _orders, _bytes, _bytes),
)
HASH = "0123456789abcdef" * 2
EXAMPLE: list[Record] = [
    Founding("default", b"{}", b"map"),
    Keyframe(0, "0-0", b"snapshot"),
    TickEntry(1, 17, HASH, (LoggedOrder("1-0", "me", True, b"{}"), LoggedOrder("2-0", "me", False, b"")), b"e", b"d"),
]


def write_archive(records: list[Record]) -> bytes:
    stream = io.BytesIO()
    writer = ArchiveWriter(stream)
    for record in records:
        writer.write(record)
    writer.close()
    return stream.getvalue()


def record_archive(header: bytes, body: bytes = b"") -> bytes:
    """Return an archive whose only record has this header and a valid digest."""
    record = struct.pack("<IQ", len(header), len(body)) + header + body
    return b"SECTLOG\x01" + record + xxhash.xxh3_64(header + body).digest()


def read(blob: bytes) -> list[Record]:
    return list(read_archive(io.BytesIO(blob)))


@settings(deadline=None)
@given(st.lists(_records, max_size=5))
def test_records_survive_a_round_trip(records: list[Record]) -> None:
    assert read(write_archive(records)) == records


@pytest.mark.parametrize("length", range(len(write_archive(EXAMPLE))))
def test_a_truncated_archive_is_rejected(length: int) -> None:
    with pytest.raises(ArchiveError):
        read(write_archive(EXAMPLE)[:length])


@settings(deadline=None)
@given(st.integers(0, len(write_archive(EXAMPLE)) - 1), st.integers(1, 255))
def test_an_altered_byte_is_detected(place: int, change: int) -> None:
    blob = bytearray(write_archive(EXAMPLE))
    blob[place] ^= change
    with pytest.raises(ArchiveError):
        read(bytes(blob))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_archive_or_an_error(blob: bytes) -> None:
    with pytest.raises(ArchiveError):
        read(write_archive([])[:8] + blob + b"\0" * 12)


@pytest.mark.parametrize(
    ("blob", "error"),
    [
        (b"", "is not a Sector archive"),
        (b"PK\x03\x04" + bytes(20), "is not a Sector archive"),
        (b"SECTLOG\x09" + bytes(20), "version 9 is not supported"),
        (write_archive([])[:8] + b"\xff" * 12, "its header has 4294967295 bytes"),
    ],
)
def test_a_file_that_is_no_archive_is_described(blob: bytes, error: str) -> None:
    with pytest.raises(ArchiveError, match=error):
        read(blob)


TICK = {"kind": "tick", "tick": 1, "at_ms": 1, "hash": HASH, "orders": [], "events": 0, "delta": 0}
KEYFRAME = {"kind": "keyframe", "tick": 0, "cursor": "0-0", "snapshot": 0}


@pytest.mark.parametrize(
    ("header", "field", "value"),
    [
        (KEYFRAME | {"tick": 2**62}, "keyframe.tick", str(2**62)),
        (KEYFRAME | {"tick": -7}, "keyframe.tick", "-7"),
        (KEYFRAME | {"tick": True}, "keyframe.tick", "True"),
        (KEYFRAME | {"cursor": "x"}, "keyframe.cursor", "'x'"),
        (
            KEYFRAME | {"cursor": "18446744073709551615-18446744073709551615"},
            "keyframe.cursor",
            "'18446744073709551615-",
        ),
        (KEYFRAME | {"cursor": "01-0"}, "keyframe.cursor", "'01-0'"),
        (KEYFRAME | {"cursor": "1-0\n"}, "keyframe.cursor", r"'1-0\n'"),
        (KEYFRAME | {"snapshot": 2**40}, "keyframe.snapshot", str(2**40)),
        (TICK | {"tick": 0}, "tick.tick", "0"),
        (TICK | {"at_ms": 2**62}, "tick.at_ms", str(2**62)),
        (TICK | {"at_ms": -1}, "tick.at_ms", "-1"),
        (TICK | {"hash": "\x1b]0;pwned\x07"}, "tick.hash", r"'\x1b]0;pwned\x07'"),
        (TICK | {"hash": HASH[:-1]}, "tick.hash", "'0123456789abcdef"),
        (TICK | {"orders": [["9", "me", False, 0]]}, "tick.orders.0.0", "'9'"),
        (TICK | {"orders": [["1-0", "me", False, 2**40]]}, "tick.orders.0.3", str(2**40)),
        (TICK | {"orders": [["1-0", "me", False, 0]] * 10_001}, "tick.orders", "["),
        ({"kind": "\x1b[31m"}, "", "{'kind': '"),
        ({"kind": "founding", "sim_id": "../x", "config": 0, "map": 0}, "founding.sim_id", "'../x'"),
    ],
)
def test_a_field_out_of_range_is_reported_with_record_and_value(
    header: dict[str, object], field: str, value: str
) -> None:
    with pytest.raises(ArchiveFieldError) as raised:
        read(record_archive(json.dumps(header).encode()))
    error = raised.value
    assert (error.record, error.field) == (1, field)
    assert error.value.startswith(value)
    assert "record 1: header field" in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 700


@pytest.mark.parametrize("record", [Keyframe(2**62, "0-0", b""), TickEntry(1, 1, "no hash", (), b"", b"")])
def test_the_writer_rejects_records_that_the_reader_would_reject(record: Record) -> None:
    with pytest.raises(ArchiveFieldError):
        write_archive([record])


@pytest.mark.parametrize(
    "item", [b'["","",true,0],', b"[[[[],[]]]],", b"0,", b'{"a":1},', b'"\\"",', b'["a[","]",true,0],']
)
def test_a_header_with_too_many_values_is_rejected_before_parsing(item: bytes) -> None:
    text = b'{"kind":"tick","orders":[' + item * ((2**23) // len(item)) + b"0]}"
    blob = io.BytesIO(record_archive(text))
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match="record 1: its header has more than 200000 strings and values"):
            list(read_archive(blob))
        assert tracemalloc.get_traced_memory()[1] < 8 * len(text)
    finally:
        tracemalloc.stop()


def test_a_header_of_more_than_16_mib_is_rejected_unread() -> None:
    with pytest.raises(ArchiveError, match="its header has 16777217 bytes, above the limit of 16777216"):
        read(write_archive([])[:8] + struct.pack("<IQ", 2**24 + 1, 0))
    with pytest.raises(ArchiveError, match="its body has 1099511627776 bytes"):
        read(write_archive([])[:8] + struct.pack("<IQ", 2, 2**40))


def test_the_largest_tick_of_a_worker_is_readable() -> None:
    orders = tuple(
        LoggedOrder(f"{10**14}-{n}", '["{,' * 30, False, b"", "a fault, of two parts") for n in range(10_000)
    )
    record = TickEntry(1, 1, HASH, orders, b"", b"")
    assert read(write_archive([record])) == [record]
