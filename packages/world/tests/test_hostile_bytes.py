"""Snapshots that are truncated, altered or invented: each is played or rejected with a clear error."""

import subprocess
import sys
from array import array
from copy import replace
from pathlib import Path

import foreign_bytes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from fixtures.archives import append_digest
from fixtures.long import max_examples
from fixtures.processes import environment
from fixtures.requires import require_module
from sector.models.frame import Column, Frame, FrameError, Table, decode, encode

SNAPSHOT, EVENTS = foreign_bytes.play_world(14)
BODY = SNAPSHOT[:-16]


@pytest.mark.parametrize("length", [0, 1, 15, 27, 28, 100, len(SNAPSHOT) - 17, len(SNAPSHOT) - 1])
def test_a_truncated_snapshot_is_rejected(length: int) -> None:
    with pytest.raises(FrameError):
        decode(SNAPSHOT[:length])
    assert not foreign_bytes.is_accepted(append_digest(SNAPSHOT[:length]))


@settings(max_examples=max_examples(300), deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(BODY) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_an_altered_snapshot_is_played_or_rejected(changes: list[tuple[int, int]]) -> None:
    altered = bytearray(BODY)
    for place, value in changes:
        altered[place] = value
    foreign_bytes.is_accepted(append_digest(bytes(altered)))
    if bytes(altered) != BODY:
        with pytest.raises(FrameError):
            decode(bytes(altered) + SNAPSHOT[-16:])


@settings(max_examples=max_examples(300), deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_arbitrary_bytes_are_rejected(header: bytes, columns: bytes) -> None:
    prefix = b"SECF\x02\x00\x00\x00" + len(header).to_bytes(4, "little")
    assert not foreign_bytes.is_accepted(header)
    assert not foreign_bytes.is_accepted(append_digest(prefix + header + columns))


_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=max_examples(300), deadline=None)
@given(st.sampled_from(["tick", "next_fleet", "winner", "status", "parent"]), _VALUES)
def test_an_arbitrary_header_is_played_or_rejected(name: str, value: JsonValue) -> None:
    frame = decode(SNAPSHOT)
    foreign_bytes.is_accepted(encode(Frame(frame.kind, {**frame.meta, name: value}, frame.tables)))


FRAME = decode(SNAPSHOT)
SYSTEMS, FACTIONS, FLEETS = (FRAME.tables[name] for name in ("systems", "factions", "fleets"))


def _with_table(name: str, table: Table) -> Frame:
    return replace(FRAME, tables={**FRAME.tables, name: table})


def _first_rows(table: Table, count: int) -> Table:
    columns = {name: column._replace(values=column.values[:count]) for name, column in table.columns.items()}
    return replace(table, rows=count, columns=columns)


def _twice(table: Table) -> Table:
    columns = {
        name: column._replace(values=memoryview(bytes(column.values) * 2).cast(column.typecode))  # type: ignore[call-overload]  # any of the codes
        for name, column in table.columns.items()
    }
    return Table(2 * table.rows, columns, {name: texts * 2 for name, texts in table.labels.items()}, table.prefix)


def _with_values(table: Table, name: str, value: int) -> Table:
    return replace(table, columns={**table.columns, name: Column(memoryview(array("q", [value] * table.rows)))})


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (replace(FRAME, kind="delta"), "a delta, not a snapshot"),
        (_with_table("systems", _first_rows(SYSTEMS, 8)), "the snapshot has 8 systems, and the map 9"),
        (
            _with_table("systems", replace(SYSTEMS, columns={"owner": SYSTEMS.columns["owner"]})),
            r"lacks systems\.ships",
        ),
        (_with_table("systems", _with_values(SYSTEMS, "owner", 0)), r"systems\.owner holds int64, not int16"),
        (
            _with_table("systems", _with_values(SYSTEMS, "ships", -1)),
            r"systems\.ships reaches from -1 to -1, beyond 0 to",
        ),
        (_with_table("fleets", _with_values(FLEETS, "id", 0)), "the ids of the fleets do not ascend to next_fleet"),
        (_with_table("factions", replace(FACTIONS, labels={})), "the snapshot lacks the ids of its factions"),
        (replace(FRAME, tables={"systems": SYSTEMS}), "the snapshot lacks the ids of its factions"),
        (_with_table("factions", _twice(FACTIONS)), "two factions have the same id"),
        (replace(FRAME, meta={**FRAME.meta, "next_fleet": 2**62}), f"has the invalid next_fleet {2**62}"),
    ],
)
def test_a_frame_that_is_no_snapshot_of_this_map_is_rejected_with_a_reason(frame: Frame, reason: str) -> None:
    with pytest.raises(FrameError, match=reason):
        foreign_bytes.WORLD.load(foreign_bytes.CONFIG, foreign_bytes.MAP, encode(frame))


def test_a_snapshot_beyond_the_maximum_of_fleets_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sector.world.codec.MAX_FLEETS", FLEETS.rows - 1)
    with pytest.raises(FrameError, match=f"{FLEETS.rows} fleets exceed the limit of {FLEETS.rows - 1}"):
        foreign_bytes.WORLD.load(foreign_bytes.CONFIG, foreign_bytes.MAP, SNAPSHOT)


def test_a_map_without_names_is_rejected() -> None:
    galaxy = decode(foreign_bytes.MAP)
    systems = replace(galaxy.tables["systems"], labels={})
    blob = encode(replace(galaxy, tables={**galaxy.tables, "systems": systems}))
    with pytest.raises(FrameError, match="the map lacks the names of its systems"):
        foreign_bytes.WORLD.load(foreign_bytes.CONFIG, blob, SNAPSHOT)


def test_atheris_finds_no_other_behaviour(tmp_path: Path) -> None:
    require_module("atheris", hint="it installs on Linux, x86-64: pip install atheris")
    (tmp_path / "snapshot").write_bytes(BODY)
    (tmp_path / "events").write_bytes(EVENTS[:-16])
    script = Path(__file__).with_name("fuzz_snapshots.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), "-runs=15000", "-seed=7", "-max_len=2048", "-timeout=10"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 15000 runs" in done.stderr
