"""Archives: what goes in comes out, and a file that is cut or altered is not believed."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sector.models.archive import ArchiveError, ArchiveWriter, Founding, Keyframe, Record, TickEntry, read_archive
from sector.models.step import LoggedOrder

_numbers, _texts, _bytes = st.integers(0, 2**40), st.text(max_size=8), st.binary(max_size=40)
_orders = st.lists(st.builds(LoggedOrder, _texts, _texts, st.booleans(), _bytes), max_size=3).map(tuple)
_records: st.SearchStrategy[Record] = st.one_of(
    st.builds(Founding, _texts, _bytes, _bytes),
    st.builds(Keyframe, _numbers, _texts, _bytes),
    st.builds(TickEntry, _numbers, _numbers, _texts, _orders, _bytes, _bytes),
)
EXAMPLE: list[Record] = [
    Founding("default", b"{}", b"map"),
    Keyframe(0, "0-0", b"snapshot"),
    TickEntry(1, 17, "abc", (LoggedOrder("1-0", "me", True, b"{}"), LoggedOrder("2-0", "me", False, b"")), b"e", b"d"),
]


def written(records: list[Record]) -> bytes:
    stream = io.BytesIO()
    writer = ArchiveWriter(stream)
    for record in records:
        writer.write(record)
    writer.close()
    return stream.getvalue()


def read(blob: bytes) -> list[Record]:
    return list(read_archive(io.BytesIO(blob)))


@given(st.lists(_records, max_size=5))
def test_an_archive_survives_its_bytes(records: list[Record]) -> None:
    assert read(written(records)) == records


@pytest.mark.parametrize("length", range(len(written(EXAMPLE))))
def test_an_archive_that_is_cut_off_anywhere_says_so(length: int) -> None:
    with pytest.raises(ArchiveError):
        read(written(EXAMPLE)[:length])


@given(st.integers(0, len(written(EXAMPLE)) - 1), st.integers(1, 255))
def test_an_archive_of_which_a_byte_is_altered_says_so(place: int, change: int) -> None:
    blob = bytearray(written(EXAMPLE))
    blob[place] ^= change
    with pytest.raises(ArchiveError):
        read(bytes(blob))


@given(st.binary(max_size=200))
def test_any_bytes_are_an_archive_or_an_error(blob: bytes) -> None:
    with pytest.raises(ArchiveError):
        read(written([])[:8] + blob + b"\0" * 12)


@pytest.mark.parametrize(
    ("blob", "said"),
    [
        (b"", "does not begin as one"),
        (b"PK\x03\x04" + bytes(20), "does not begin as one"),
        (b"SECTLOG\x09" + bytes(20), "version 9 is not known"),
        (written([])[:8] + b"\xff" * 12, "a header of 4294967295 bytes"),
    ],
)
def test_what_is_no_archive_says_what_it_is(blob: bytes, said: str) -> None:
    with pytest.raises(ArchiveError, match=said):
        read(blob)
