"""Standard error without waiting: a line that cannot be written at once is dropped and counted.

The reader of a log can fail: a disk is full or stalls, a pipe is closed, a log collector stalls. A write would then
raise or block the event loop. Neither may affect the responses of a process. All output of a process to standard error
uses `LogStream`.
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
"""How many bytes a pipe that polls as writable accepts without blocking (Linux: one free page)."""
_AT_EXIT_S = 1.0
_MEMORY_DEVICES = frozenset(os.makedev(1, minor) for minor in (3, 5, 7))
"""The devices null, zero and full, which never block."""


class LogStream(io.TextIOBase):
    """A text stream over a descriptor, to which `write` adds complete lines. It never raises OSError and never waits.

    It polls pipes, sockets and terminals before each write. Polling does not work for files, so a thread writes to them
    from a bounded queue. `descriptor`: None drops every line. `notice`: returns the line that reports dropped lines.
    `blocking`: replaces the writes to the descriptor, and may wait.
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
        # Log messages also come from other threads and from finalizers, which run anywhere.
        self._lock = threading.RLock()
        self._exit_at_s: float | None = None
        _streams.add(self)

    @property
    def notice(self) -> Notice:
        """The function that returns the line that reports dropped lines."""
        return self._lines.notice

    @notice.setter
    def notice(self, notice: Notice) -> None:
        self._lines.notice = notice

    @property
    def dropped(self) -> int:
        """The number of lines that were dropped so far."""
        return self._lines.dropped + (self._queue.dropped if self._queue else 0)

    def write(self, text: str) -> int:
        """Write lines, or drop them. Returns the length of the text."""
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
        """Write the rest of a partly written line, and the number of dropped lines, if this is possible without
        waiting.
        """
        if self._queue is None:
            with self._lock:
                self._lines.catch_up()
        else:
            self._queue.flush()

    def drain(self, within_s: float) -> bool:
        """Wait until the thread has written all lines, at most `within_s` seconds. Return whether it has."""
        return self._queue is None or self._queue.drain(max(within_s, 0.0))

    def drain_at_exit(self) -> None:
        """Wait for the queue. Each later line also waits within the same total time."""
        self._exit_at_s = time.monotonic() + _AT_EXIT_S
        self.drain(_AT_EXIT_S)

    def reset_after_fork(self) -> None:
        """Reset the state in a forked process, where threads that do not exist may hold locks."""
        self._lock = threading.RLock()
        self._lines.forget()
        if self._queue is not None:
            self._queue.reset()

    def isatty(self) -> bool:
        """Say whether the descriptor is a terminal."""
        return self._descriptor is not None and os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor. Raises OSError without one."""
        if self._descriptor is None:
            raise io.UnsupportedOperation("the log stream has no descriptor")
        return self._descriptor

    def writable(self) -> bool:
        """Say that the stream is writable."""
        return True


_streams: WeakSet[LogStream] = WeakSet()


def _drain_all() -> None:
    for stream in tuple(_streams):
        stream.drain_at_exit()


def _reset_all() -> None:
    for stream in tuple(_streams):
        stream.reset_after_fork()


# Exit functions run in reverse order of their registration, so this one runs last.
atexit.register(_drain_all)
os.register_at_fork(after_in_child=_reset_all)


def _drop(_: bytes) -> int:
    raise io.UnsupportedOperation("standard error is closed")


def _writer(descriptor: int | None) -> tuple[Write, bool]:
    """Return a function that writes to a descriptor, and whether it may block.

    The flags of the descriptor are shared with other processes, so they do not change.
    """
    if descriptor is None:
        return _drop, False
    status = os.fstat(descriptor)
    mode = status.st_mode
    if stat.S_ISSOCK(mode):
        connection = socket.socket(fileno=os.dup(descriptor))
        return (lambda line: connection.send(line, socket.MSG_DONTWAIT)), False
    if not (stat.S_ISFIFO(mode) or os.isatty(descriptor)):
        # A file or a device. O_NONBLOCK has no effect on it.
        return partial(os.write, descriptor), not (stat.S_ISCHR(mode) and status.st_rdev in _MEMORY_DEVICES)
    if not os.get_blocking(descriptor):
        return partial(os.write, descriptor), False
    try:
        # The same pipe or terminal is opened again, so that only this description is non-blocking.
        again = os.open(
            f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
        )
    except OSError:
        # The pipe belongs to another user or has no reader, or the system has no /proc.
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
    """Return a standard descriptor, or None if it was closed at the start: another file may have its number by now."""
    at_start = sys.__stdout__ if descriptor == _STDOUT else sys.__stderr__
    return None if at_start is None else descriptor


def reserve_standard_descriptors() -> None:
    """Open /dev/null at closed standard descriptors.

    Otherwise libuv gets their numbers and aborts the process when it closes them.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


@cache
def log_stream() -> LogStream:
    """Return standard error as a stream that never waits. A process has only one."""
    return LogStream(_open_descriptor(_STDERR))


@cache
def output_stream() -> LogStream:
    """Return standard output as a stream that never waits."""
    return LogStream(_open_descriptor(_STDOUT))


def print_error(text: str) -> None:
    """Print a line on standard error before the process ends. An error of the write does not change the exit code."""
    # Tests replace the stream.
    stream = log_stream() if sys.stderr is sys.__stderr__ else sys.stderr
    stream.write(f"{text}\n")


def print_output(text: str) -> None:
    """Print a line on standard output. The process continues even if nothing reads it."""
    stream = output_stream() if sys.stdout is sys.__stdout__ else sys.stdout
    stream.write(f"{text}\n")
