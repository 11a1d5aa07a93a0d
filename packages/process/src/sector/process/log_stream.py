"""Standard error, without waiting: a line that cannot be written at once is dropped and counted.

A log is read by something that can fail: a disk fills or stalls, a pipe is closed, a log collector stalls. A write would then raise, or
block the event loop. Neither may change what a process answers. All that a process writes to standard error goes through `LogStream`.
"""

import atexit
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
from weakref import WeakSet

from sector.process.line_queue import LineQueue
from sector.process.line_writer import LineWriter, Notice, Write, plain_notice

_STDOUT, _STDERR = 1, 2
_ATOMIC_BYTES = 4096
"""A pipe that polls as writable takes this much without blocking (Linux: one free page)."""
_AT_EXIT_S = 1.0
_MEMORY_DEVICES = frozenset(os.makedev(1, minor) for minor in (3, 5, 7))
"""null, zero and full, which answer at once."""


class LogStream(io.TextIOBase):
    """A text stream over a descriptor. `write` takes whole lines, never raises OSError and never waits.

    Pipes, sockets and terminals are asked whether they take a line. Files cannot be asked: a thread writes to them, from a queue that
    is bounded. `descriptor` None: there is nowhere to write to, and every line is dropped. `notice` makes the line that follows
    dropped ones. `blocking`: writes in place of a descriptor, and may wait.
    """

    def __init__(
        self,
        descriptor: int | None,
        notice: Notice = plain_notice,
        clock: Callable[[], float] = time.monotonic,
        *,
        blocking: Write | None = None,
    ) -> None:
        super().__init__()
        self._descriptor = descriptor
        write, waits = (blocking, True) if blocking else _writer(descriptor)
        self._lines = LineWriter(write, notice, clock)
        self._queue = LineQueue(self._lines) if waits else None
        # Log messages come from other threads too, and from finalizers, which run anywhere.
        self._lock = threading.RLock()
        self._exit_at_s: float | None = None
        _streams.add(self)

    @property
    def notice(self) -> Notice:
        """What makes the line that follows dropped ones."""
        return self._lines.notice

    @notice.setter
    def notice(self, notice: Notice) -> None:
        self._lines.notice = notice

    @property
    def dropped(self) -> int:
        """How many lines were dropped so far."""
        return self._lines.dropped + (self._queue.dropped if self._queue else 0)

    def write(self, text: str) -> int:
        """Write lines, or drop them."""
        line = text.encode(errors="replace")
        if self._queue is None:
            with self._lock:
                self._lines.write(line)
        else:
            self._queue.put(line)
            if self._exit_at_s is not None:
                self.drain(self._exit_at_s - time.monotonic())
        return len(text)

    def flush(self) -> None:
        """Write what is left of a line, and the number of lines that were dropped, if that is possible now."""
        if self._queue is None:
            with self._lock:
                self._lines.catch_up()
        else:
            self._queue.flush()

    def drain(self, within_s: float) -> bool:
        """Wait until what a thread has to write is written, so long at most. Returns whether it is."""
        return self._queue is None or self._queue.drain(max(within_s, 0.0))

    def drain_at_exit(self) -> None:
        """Wait for what is queued, and within the same time for each line that follows."""
        self._exit_at_s = time.monotonic() + _AT_EXIT_S
        self.drain(_AT_EXIT_S)

    def reset_after_fork(self) -> None:
        """Reset the state in a forked process: threads that it does not have may hold locks there."""
        self._lock = threading.RLock()
        self._lines.forget()
        if self._queue is not None:
            self._queue.reset()

    def isatty(self) -> bool:
        """Say whether a person reads it."""
        return self._descriptor is not None and os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor. Raises OSError where there is none."""
        if self._descriptor is None:
            raise io.UnsupportedOperation("the log stream has no descriptor")
        return self._descriptor

    def writable(self) -> bool:
        """Say that it takes text."""
        return True


_streams: WeakSet[LogStream] = WeakSet()


def _drain_all() -> None:
    for stream in tuple(_streams):
        stream.drain_at_exit()


def _reset_all() -> None:
    for stream in tuple(_streams):
        stream.reset_after_fork()


# Registered before others are, and so called after them.
atexit.register(_drain_all)
os.register_at_fork(after_in_child=_reset_all)


def _drop(_: bytes) -> int:
    raise io.UnsupportedOperation("standard error is closed")


def _writer(descriptor: int | None) -> tuple[Write, bool]:
    """Return what writes to a descriptor, and whether it waits. The descriptor itself stays as it is: other processes share it."""
    if descriptor is None:
        return _drop, False
    status = os.fstat(descriptor)
    mode = status.st_mode
    if stat.S_ISSOCK(mode):
        connection = socket.socket(fileno=os.dup(descriptor))
        return (lambda line: connection.send(line, socket.MSG_DONTWAIT)), False
    if not (stat.S_ISFIFO(mode) or os.isatty(descriptor)):
        # A file, or a device. Not even O_NONBLOCK keeps these from waiting.
        return partial(os.write, descriptor), not (stat.S_ISCHR(mode) and status.st_rdev in _MEMORY_DEVICES)
    if not os.get_blocking(descriptor):
        return partial(os.write, descriptor), False
    try:
        # The same pipe or terminal, opened again: only this description does not block.
        again = os.open(
            f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
        )
    except OSError:
        # Another user's pipe, a pipe that nothing reads, or a system without /proc.
        return partial(_write_if_writable, descriptor), False
    return partial(os.write, again), False


def _write_if_writable(descriptor: int, line: bytes) -> int:
    offset = 0
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    while offset < len(line) and poll.poll(0):
        offset += os.write(descriptor, line[offset : offset + _ATOMIC_BYTES])
    if not offset:
        raise BlockingIOError("the reader of the log does not read")
    return offset


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
