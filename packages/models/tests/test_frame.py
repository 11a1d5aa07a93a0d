"""Frames: they survive a round trip, and invalid bytes are rejected."""

from array import array

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from sector.models.frame import Column, Frame, FrameError, Table, decode, digest, encode

_RANGES = {"b": 7, "h": 15, "i": 31, "q": 63}


@st.composite
def tables(draw: st.DrawFn) -> Table:
    rows = draw(st.integers(0, 5))
    columns: dict[str, Column] = {}
    for name in draw(st.lists(st.text("abc", min_size=1, max_size=3), unique=True, max_size=4)):
        code = draw(st.sampled_from(sorted(_RANGES)))
        bound = 2 ** _RANGES[code]
        values = draw(st.lists(st.integers(-bound, bound - 1), min_size=rows, max_size=rows))
        refers_to, prefix = draw(st.sampled_from([(None, ""), ("other", ""), (None, "S")]))
        columns[name] = Column(memoryview(array(code, values)), refers_to, prefix)
    labels = (
        {"id": tuple(draw(st.lists(st.text(max_size=5), min_size=rows, max_size=rows)))} if draw(st.booleans()) else {}
    )
    return Table(rows if columns or labels else 0, columns, labels, draw(st.text(max_size=2)))


frames = st.builds(
    Frame,
    kind=st.sampled_from(["snapshot", "map", "delta"]),
    meta=st.dictionaries(
        st.text(max_size=4), st.integers(-(2**53), 2**53) | st.text(max_size=4) | st.none(), max_size=3
    ),
    tables=st.dictionaries(st.text("xyz", min_size=1, max_size=3), tables(), max_size=3),
)


@settings(deadline=None)
@given(frames)
def test_a_frame_survives_a_round_trip(frame: Frame) -> None:
    blob = encode(frame)
    decoded = decode(blob)
    assert (decoded.kind, decoded.meta, set(decoded.tables)) == (frame.kind, frame.meta, set(frame.tables))
    for name, table in frame.tables.items():
        assert {n: c.values.tolist() for n, c in decoded.tables[name].columns.items()} == {
            n: c.values.tolist() for n, c in table.columns.items()
        }
        assert (decoded.tables[name].labels, decoded.tables[name].prefix) == (table.labels, table.prefix)
    assert encode(decoded) == blob


@settings(deadline=None)
@given(frames, st.data())
def test_truncated_or_altered_bytes_are_rejected(frame: Frame, data: st.DataObject) -> None:
    blob = encode(frame)
    cut = data.draw(st.integers(0, len(blob) - 1))
    with pytest.raises(FrameError):
        decode(blob[:cut])
    place = data.draw(st.integers(0, len(blob) - 1))
    altered = bytearray(blob)
    altered[place] ^= 1 + data.draw(st.integers(0, 254))
    with pytest.raises(FrameError):
        decode(bytes(altered))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_frame_are_rejected(blob: bytes) -> None:
    with pytest.raises(FrameError):
        decode(blob)


def test_an_error_names_an_unsupported_version() -> None:
    blob = bytearray(encode(Frame("map", {}, {})))
    blob[4] = 9
    with pytest.raises(FrameError, match="version 9"):
        decode(bytes(blob))


def test_different_frames_have_different_digests() -> None:
    one, other = (encode(Frame("snapshot", {"tick": tick}, {})) for tick in (1, 2))
    assert digest(one) != digest(other)
    assert digest(one) == digest(encode(Frame("snapshot", {"tick": 1}, {})))


def test_a_column_with_another_length_than_its_table_is_rejected() -> None:
    with pytest.raises(ValueError, match=r"t\.c has 1 values, its table 2 rows"):
        encode(Frame("map", {}, {"t": Table(2, {"c": Column(memoryview(array("q", [1])))})}))


def _column(code: str, *values: int, refers_to: str | None = None) -> Column:
    return Column(memoryview(array(code, values)), refers_to)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (Table(2), "t has 2 rows and no column"),
        (Table(1, {"c": _column("B", 1)}), "t.c has the type 'B': use bool or a signed integer"),
        (Table(2, labels={"id": ("one",)}), "t.id has 1 labels, its table 2 rows"),
    ],
)
def test_an_invalid_table_is_not_encoded(table: Table, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        encode(Frame("map", {}, {"t": table}))


def test_a_column_that_refers_to_its_own_table_is_rejected() -> None:
    table = Table(1, {"c": _column("q", 0, refers_to="t")})
    with pytest.raises(FrameError, match=r"column t\.c refers to its own table"):
        decode(encode(Frame("map", {}, {"t": table})))


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        # A few bytes must not describe 2,000,000,000 rows.
        (Table(0), r"header field tables\.t: a table of 9 rows has no column"),
        (Table(0, labels={"id": ()}), r"t\.id has 0 labels for 9 rows"),
        (Table(0, {"c": _column("q")}), r"column t\.c extends past the end of the frame"),
    ],
)
def test_a_table_with_more_rows_than_values_is_rejected(table: Table, reason: str) -> None:
    body = encode(Frame("map", {}, {"t": table}))[:-16].replace(b'"rows":0', b'"rows":9')
    with pytest.raises(FrameError, match=reason):
        decode(body + xxhash.xxh3_128_digest(body))


def test_a_big_endian_machine_writes_no_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.byteorder", "big")
    with pytest.raises(OSError, match="this one is big-endian"):
        encode(Frame("map", {}, {}))
