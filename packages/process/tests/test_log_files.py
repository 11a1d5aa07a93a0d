"""Logs in files: a thread writes them, so that a stalled disk does not block the event loop.

Its queue has an order and a limit.
"""

import errno
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fixtures.processes import environment
from sector.process.line_queue import LineQueue
from sector.process.line_writer import LineWriter
from sector.process.log_stream import LogStream

LINE = "x" * 999 + "\n"
MANY = 10_000
"""The number of lines, which exceeds the queue."""


class Disk:
    """A disk in memory. A write waits while it stalls, and fails while it is full."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.is_full = False
        self.text = b""

    def write(self, text: bytes) -> int:
        """Write the whole text."""
        assert self.goes_on.wait(60)
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.text += text
        return len(text)

    def lines(self) -> list[str]:
        """Return the lines that were written."""
        return self.text.decode().splitlines()


@pytest.fixture
def disk() -> Disk:
    return Disk()


def log_to(disk: Disk) -> LogStream:
    return LogStream(None, lambda lines: f"dropped {lines}\n", blocking=disk.write)


def test_a_stalled_disk_does_not_block_and_dropped_lines_are_counted(disk: Disk) -> None:
    stream = log_to(disk)
    disk.goes_on.clear()
    for _ in range(MANY):
        stream.write(LINE)
    assert 0 < stream.dropped < MANY
    assert not stream.drain(0), "nothing is written yet"
    disk.goes_on.set()
    assert stream.drain(30)
    stream.write("last\n")
    assert stream.drain(30)
    stored_lines = MANY - stream.dropped
    assert disk.lines() == [LINE.strip()] * stored_lines + [f"dropped {stream.dropped}", "last"]


def test_lines_keep_their_order(disk: Disk) -> None:
    stream = log_to(disk)
    for number in range(1_000):
        stream.write(f"{number}\n")
    assert stream.drain(30)
    assert disk.lines() == [str(number) for number in range(1_000)]


def test_a_full_disk_is_reported_when_it_has_space_again(disk: Disk) -> None:
    stream = log_to(disk)
    disk.is_full = True
    for _ in range(3):
        stream.write("lost\n")
    assert stream.drain(30)
    assert stream.dropped == 3
    disk.is_full = False
    stream.flush()
    assert stream.drain(30)
    assert disk.lines() == ["dropped 3"]


def test_a_line_larger_than_the_queue_is_written(disk: Disk) -> None:
    queue = LineQueue(LineWriter(disk.write), max_bytes=100)
    queue.put(b"a" * 1_000 + b"\n")
    assert queue.drain(30)
    assert queue.dropped == 0
    assert disk.lines() == ["a" * 1_000]


def test_the_queue_accepts_lines_again_after_it_was_written(disk: Disk) -> None:
    queue = LineQueue(LineWriter(disk.write), max_bytes=1_000)
    for _ in range(3):
        disk.goes_on.clear()
        for _ in range(20):
            queue.put(b"line\n")
        disk.goes_on.set()
        assert queue.drain(30)
    assert queue.dropped > 0
    assert queue.dropped + sum(line == "line" for line in disk.lines()) == 60


def test_lines_are_dropped_if_no_thread_can_start(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    stream = log_to(disk)
    with monkeypatch.context() as limited:
        limited.setattr(threading.Thread, "start", refuse)
        stream.write("lost\n")
    stream.write("next\n")
    assert stream.drain(30)
    assert disk.lines() == ["dropped 1", "next"]


def run(code: str, log: Path, returncode: int = 3) -> float:
    """Run code whose standard error is a file. Returns its duration."""
    began_s = time.monotonic()
    with log.open("wb") as file:
        done = subprocess.run([sys.executable, "-c", code], env=environment(), stderr=file, check=False, timeout=60)
    assert done.returncode == returncode
    return time.monotonic() - began_s


@pytest.mark.parametrize(
    "code",
    [
        "print_error('the last line')",
        "import atexit; atexit.register(print_error, 'the last line')",
        "import threading; threading.Thread(target=print_error, args=['the last line']).start()",
        "from sector.process.logs import configure; configure('x', 'info', 'json');"
        "import logging; logging.getLogger().error('the last line')",
    ],
    ids=["right before the exit", "at the exit", "in a thread", "with logging"],
)
def test_the_last_line_is_not_lost(code: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(f"import sys; from sector.process.log_stream import print_error; {code}; sys.exit(3)", log)
    assert log.read_text().count("the last line") == 1


def test_a_traceback_that_ends_a_process_is_complete(tmp_path: Path) -> None:
    log = tmp_path / "log"
    configured = "from sector.process.logs import configure; configure('x', 'info', 'json')"
    run(f"{configured}; raise ValueError('the last line')", log, returncode=1)
    assert log.read_text().endswith("ValueError: the last line\n")


def test_a_process_ends_although_its_disk_stalls(tmp_path: Path) -> None:
    stalled = """
import sys, threading
from sector.process.log_stream import LogStream
stream = LogStream(None, blocking=lambda _: threading.Event().wait())
for number in range(100):
    stream.write("line\\n")
sys.exit(3)
"""
    idle = "import sys, sector.process.log_stream; sys.exit(3)"
    assert run(stalled, tmp_path / "log") - run(idle, tmp_path / "idle") < 10


def test_a_forked_process_writes_only_its_own_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = """
import os, sys, threading
from sector.process.log_stream import LogStream
goes_on = threading.Event()
stream = LogStream(2, blocking=lambda text: goes_on.wait() and os.write(2, text))
stream.write("of the parent\\n")
if not (child := os.fork()):
    goes_on.set()
    stream.write("of the child\\n")
    assert stream.drain(30)
    os._exit(3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
goes_on.set()
sys.exit(3)
"""
    run(code, log)
    lines = [line for line in log.read_text().splitlines() if line.startswith("of")]
    assert lines == ["of the child", "of the parent"]
