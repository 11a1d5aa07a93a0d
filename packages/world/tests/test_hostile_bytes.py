"""Snapshots that are truncated, altered or made up: a clear error, and never anything else."""

import subprocess
import sys
from pathlib import Path

import hostile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from fixtures.long import examples
from fixtures.processes import environment
from fixtures.requires import require_module
from sector.models.frame import Frame, FrameError, decode, encode

SNAPSHOT, EVENTS = hostile.played(14)
BODY = SNAPSHOT[:-16]


@pytest.mark.parametrize("length", [0, 1, 15, 27, 28, 100, len(SNAPSHOT) - 17, len(SNAPSHOT) - 1])
def test_a_truncated_snapshot_is_refused(length: int) -> None:
    with pytest.raises(FrameError):
        decode(SNAPSHOT[:length])
    assert not hostile.use(hostile.sealed(SNAPSHOT[:length]))


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(BODY) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_an_altered_snapshot_with_a_digest_that_fits_is_played_or_refused(changes: list[tuple[int, int]]) -> None:
    altered = bytearray(BODY)
    for place, value in changes:
        altered[place] = value
    hostile.use(hostile.sealed(bytes(altered)))
    if bytes(altered) != BODY:
        with pytest.raises(FrameError):
            decode(bytes(altered) + SNAPSHOT[-16:])


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_at_all_are_refused(header: bytes, columns: bytes) -> None:
    prefix = b"SECF\x02\x00\x00\x00" + len(header).to_bytes(4, "little")
    assert not hostile.use(header)
    assert not hostile.use(hostile.sealed(prefix + header + columns))


_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(["tick", "next_fleet", "winner", "status", "parent"]), _VALUES)
def test_a_header_that_says_anything_else_is_played_or_refused(name: str, value: JsonValue) -> None:
    frame = decode(SNAPSHOT)
    hostile.use(encode(Frame(frame.kind, {**frame.meta, name: value}, frame.tables)))


def test_atheris_finds_no_bytes_that_do_anything_else(tmp_path: Path) -> None:
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
