"""Standard error that never waits: lines that it does not accept are dropped and counted, and lines stay complete."""

import os
import socket
from pathlib import Path

import pytest

from fixtures.broken_logs import BROKEN_LOGS, fill_descriptor
from sector.process.log_stream import LogStream, _write_if_writable

LINE = "x" * 99 + "\n"
MANY = 3_000
"""The number of lines, which exceeds any pipe or terminal."""


def read_all(descriptor: int) -> str:
    os.set_blocking(descriptor, False)
    text = b""
    try:
        while part := os.read(descriptor, 65536):
            text += part
    except BlockingIOError:
        pass
    return text.decode()


@pytest.mark.parametrize("kind", BROKEN_LOGS)
def test_lines_that_are_not_accepted_at_once_are_dropped_and_counted(kind: str, tmp_path: Path) -> None:
    with BROKEN_LOGS[kind](tmp_path) as descriptor:
        was_blocking = os.get_blocking(descriptor)
        stream = LogStream(descriptor)
        for _ in range(MANY):
            stream.write(LINE)
        assert 0 < stream.dropped <= MANY
        assert os.get_blocking(descriptor) is was_blocking, "other processes share the description"


def test_a_closed_standard_error_drops_all_lines() -> None:
    stream = LogStream(None)
    stream.write(LINE)
    assert stream.dropped == 1
    assert not stream.isatty()


def test_a_pipe_of_another_user_does_not_block() -> None:
    reader, writer = os.pipe()
    assert _write_if_writable(writer, LINE.encode()) == len(LINE)
    assert read_all(reader) == LINE
    fill_descriptor(writer)
    with pytest.raises(BlockingIOError):
        _write_if_writable(writer, LINE.encode())
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        _write_if_writable(writer, LINE.encode())
    os.close(writer)


def test_a_line_reports_the_dropped_lines_when_the_reader_continues() -> None:
    reader, writer = os.pipe()
    now_s = [0.0]
    stream = LogStream(writer, lambda lines: f"dropped {lines}\n", clock=lambda: now_s[0])
    fill_descriptor(writer)
    stream.write("lost\n")
    stream.write("lost\n")
    read_all(reader)
    stream.write("first\n")
    assert read_all(reader) == "dropped 2\nfirst\n"
    fill_descriptor(writer)
    stream.write("lost\n")
    read_all(reader)
    stream.write("soon\n")
    assert read_all(reader) == "soon\n", "once a second at most"
    now_s[0] = 1.0
    stream.flush()
    assert read_all(reader) == "dropped 1\n", "without another line"


def test_a_partly_written_line_is_completed_before_the_next() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        stream = LogStream(theirs.fileno())
        stream.write("a" * 1_000_000 + "\n")
        stream.write("lost\n")
        received = ""
        while not received.endswith("\n"):
            received += read_all(ours.fileno())
            stream.flush()
        stream.write("next\n")
        lines = (received + read_all(ours.fileno())).splitlines()
    assert lines == ["a" * 1_000_000, "log lines dropped, reader too slow: 1", "next"]


def test_a_file_shared_with_other_processes_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb", buffering=0) as file:
        stream = LogStream(file.fileno())
        stream.write("one\n")
        assert stream.drain(30)
        file.write(b"two\n")
        stream.write("three\n")
        assert stream.drain(30)
    assert path.read_text() == "one\ntwo\nthree\n"
