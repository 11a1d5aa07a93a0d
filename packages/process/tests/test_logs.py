"""Logs: JSON with separate fields for machines, and text for people."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sample import start_sample
from sample_process import HOSTILE

from fixtures.processes import environment, free_port
from sector.process.logs import line, printable

SAMPLE = Path(__file__).with_name("sample_process.py")

type Run = Callable[..., list[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a process whose work fails with a given text, and returns the lines of its log."""

    def run(**settings: str) -> list[str]:
        sample = start_sample(tmp_path / "log", free_port(), **{"WORK": "fail"} | settings)
        lines = sample.wait().splitlines()
        assert sample.process.returncode == 1
        return lines

    return run


def test_a_log_file_has_one_line_of_json_per_message_and_traceback(run: Run) -> None:
    before, failed = (json.loads(line) for line in run())
    assert (before["event"], before["sim"], before["tick"], before["level"]) == (
        "about to fail, surely",
        "s1",
        7,
        "info",
    )
    assert list(before)[:4] == ["at_ms", "level", "service", "event"]
    assert before["service"] == "sector-sample"
    assert before["odd"] == "no text: ?"
    assert failed["level"] == "error"
    assert (failed["event"], failed["task"]) == ("task failed, process stops", "work")
    assert failed["exception"].endswith("RuntimeError: as told")


def test_text_has_no_colours_without_a_terminal(run: Run) -> None:
    first, *middle, last = run(LOG_FORMAT="text")
    assert re.match(r"\d\d:\d\d:\d\d \[info +\] about to fail, surely ", first)
    assert "sim=s1" in first
    assert any("RuntimeError: as told" in line for line in (last, *middle))
    assert "\x1b" not in first


def test_a_terminal_gets_text_by_default() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(SAMPLE)],
        env=environment(WORK="fail", SAMPLE_PORT=str(free_port()), TERM="xterm"),
        stderr=theirs,
    )
    process.wait(timeout=60)
    os.close(theirs)
    output = os.read(ours, 65536).decode()
    os.close(ours)
    assert "about to fail, surely" in output
    assert "\x1b[" in output, "in colours"


def test_log_level_limits_the_lines(run: Run) -> None:
    assert [json.loads(line)["level"] for line in run(LOG_LEVEL="error")] == ["error"]


def test_text_escapes_control_characters_of_clients(run: Run) -> None:
    lines = run(LOG_FORMAT="text", WORK="quote")
    assert all(line.isprintable() for line in lines)
    shown = r"a\x1b]0;pwned\x07b\n12:00:00 [info     ] c\x00d\u202ee\x9bf"
    assert f"a client sent {shown}" in lines[0]
    assert "sent='a" in lines[0]
    # The text of an error may contain line breaks, but the next line does not look like another message.
    assert any(r"RuntimeError: a\x1b]0;pwned\x07b" in line for line in lines)
    assert not any(line.startswith("12:00:00") for line in lines)


def test_json_contains_the_original_text_of_clients(run: Run) -> None:
    lines = run(WORK="quote")
    assert all(line.isprintable() for line in lines)
    quoted = json.loads(lines[0])
    assert quoted["sent"] == HOSTILE
    assert quoted["event"] == f"a client sent {HOSTILE}"


@pytest.mark.parametrize("text", ["\x7f", "\x9b31m", "\x85", "\u2028\u2029", "\u202e", "\ue000", "\U000e0001", "é 😀"])
def test_a_line_of_json_is_always_printable(text: str) -> None:
    text_line = line({"event": text, text: 1})
    assert text_line.isprintable()
    assert json.loads(text_line) == {"event": text, text: 1}


def test_values_in_a_list_or_object_may_have_lone_surrogates() -> None:
    text = line({"event": "request failed", "names": ["\ud800", 1], "headers": {"host": "\udcff"}})
    assert json.loads(text) == {"event": "request failed", "names": ["?", 1], "headers": {"host": "?"}}


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain é 😀", "plain é 😀"), ("\x1b[31m", r"\x1b[31m"), ("\r\n\t", r"\r\n\t"), ("\ud800", r"\ud800")],
)
def test_only_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
