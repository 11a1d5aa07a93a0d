"""Standard error, without waiting: a line that cannot be written at once is dropped and counted.

A log is read by something that can fail: a disk fills, a pipe is closed, a log collector stalls. A write would then raise, or block the
event loop. Neither may change what a process answers. All that a process writes to standard error goes through `LogStream`.
"""

import io
import os
import select
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable
from functools import cache, partial

_STDOUT, _STDERR = 1, 2
_ATOMIC_BYTES = 4096
"""A pipe that polls as writable takes this much without blocking (Linux: one free page)."""
_NOTICE_EVERY_S = 1.0

type Write = Callable[[bytes], int]
"""Writes without waiting and returns how many bytes were written. Raises OSError, BlockingIOError where nothing can be written now."""
type Notice = Callable[[int], str]


def _plain_notice(lines: int) -> str:
    return f"{lines} log lines were dropped: they could not be written at once\n"


class LogStream(io.TextIOBase):
    """A text stream over a descriptor. `write` takes whole lines, never raises OSError and never waits.

    `descriptor` None: there is nowhere to write to, and every line is dropped. `notice` makes the line that follows dropped ones.
    """

    def __init__(
        self, descriptor: int | None, notice: Notice = _plain_notice, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._write = _drop if descriptor is None else _writer(descriptor)
        self._clock = clock
        # Log messages come from other threads, too.
        self._lock = threading.Lock()
        self._rest = b""
        self._unreported = 0
        self._reported_s = float("-inf")
        self.notice = notice
        self.dropped = 0
        """How many lines were dropped so far."""

    def write(self, text: str) -> int:
        """Write lines, or drop them."""
        line = text.encode(errors="replace")
        with self._lock:
            if self._rest or self._unreported:
                self._catch_up()
            written = None if self._rest else self._try_write(line)
            if written is None:
                self.dropped += 1
                self._unreported += 1
            elif written < len(line):
                self._rest = line[written:]
        return len(text)

    def flush(self) -> None:
        """Write what is left of a line, and the number of lines that were dropped, if that is possible now."""
        with self._lock:
            self._catch_up()

    def isatty(self) -> bool:
        """Say whether a person reads it."""
        return self._descriptor is not None and os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor. Raises OSError where there is none."""
        if self._descriptor is None:
            raise io.UnsupportedOperation("there is no descriptor")
        return self._descriptor

    def writable(self) -> bool:
        """Say that it takes text."""
        return True

    def _catch_up(self) -> None:
        """Write what is left of the last line: the next one would begin in its middle. Then report what was dropped."""
        if self._rest:
            self._rest = self._rest[self._try_write(self._rest) or 0 :]
        if self._rest or not self._unreported or (now_s := self._clock()) - self._reported_s < _NOTICE_EVERY_S:
            return
        line = self.notice(self._unreported).encode(errors="replace")
        if (written := self._try_write(line)) is not None:
            self._rest, self._unreported, self._reported_s = line[written:], 0, now_s

    def _try_write(self, line: bytes) -> int | None:
        """Return how many bytes were written, None where nothing could be written."""
        try:
            return self._write(line)
        except OSError:
            # There is no other place to report it: the line is counted, and /metrics has the count.
            return None


def _drop(_: bytes) -> int:
    raise io.UnsupportedOperation("standard error is closed")


def _writer(descriptor: int) -> Write:
    """Return what writes to a descriptor without waiting. The descriptor itself stays as it is: other processes share it."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        connection = socket.socket(fileno=os.dup(descriptor))
        return lambda line: connection.send(line, socket.MSG_DONTWAIT)
    if not (stat.S_ISFIFO(mode) or os.isatty(descriptor)) or not os.get_blocking(descriptor):
        # A file is written to the page cache.
        return partial(os.write, descriptor)
    try:
        # The same pipe or terminal, opened again: only this description does not block.
        again = os.open(
            f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
        )
    except OSError:
        # Another user's pipe, a pipe that nothing reads, or a system without /proc.
        return partial(_write_if_writable, descriptor)
    return partial(os.write, again)


def _write_if_writable(descriptor: int, line: bytes) -> int:
    written = 0
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    while written < len(line) and poll.poll(0):
        written += os.write(descriptor, line[written : written + _ATOMIC_BYTES])
    if not written:
        raise BlockingIOError("the reader of the log takes nothing")
    return written


def _open_descriptor(descriptor: int) -> int | None:
    """Return a standard descriptor; None where it was closed at the start, so that it may be another file's by now."""
    at_start = sys.__stdout__ if descriptor == _STDOUT else sys.__stderr__
    return None if at_start is None else descriptor


def reserve_standard_descriptors() -> None:
    """Open /dev/null at the standard descriptors that are closed: libuv aborts the process when it closes one of its own there."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


@cache
def log_stream() -> LogStream:
    """Return standard error as a stream that never waits: one for the process."""
    return LogStream(_open_descriptor(_STDERR))


@cache
def output_stream() -> LogStream:
    """Return standard output likewise."""
    return LogStream(_open_descriptor(_STDOUT))


def print_error(text: str) -> None:
    """Print a line on standard error, for a process that ends next: where that fails, its exit code is still the intended one."""
    # Tests put their own stream there.
    stream = log_stream() if sys.stderr is sys.__stderr__ else sys.stderr
    stream.write(f"{text}\n")


def print_output(text: str) -> None:
    """Print a line on standard output, for a process that goes on where nothing reads it."""
    stream = output_stream() if sys.stdout is sys.__stdout__ else sys.stdout
    stream.write(f"{text}\n")
