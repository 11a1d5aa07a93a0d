"""Lines that a thread writes: a write to a file waits for its disk, which the event loop must not.

A network disk that stalls, or a file system that is frozen, holds the thread alone. The queue is bounded in bytes, so what does not fit
is dropped, and a process that is killed loses no more than that.
"""

import threading
import time
from queue import SimpleQueue

from sector.process.line_writer import LineWriter

_MAX_BYTES = 2**22
_BATCH_BYTES = 2**18
_WRITES_A_SECOND, _BURST, _PAUSE_S = 1_000, 50, 0.002
"""More writes than these are joined, after a pause: to wake the thread for a line costs more than the line."""
_ENTRY_BYTES = 100
"""The memory of a queued line in addition to its text, in bytes."""

type _Entry = tuple[bytes, int, threading.Event | None]
"""A line, how many were dropped right before it, and what is set once it is written."""


class LineQueue:
    """Takes lines from any thread without waiting. A thread of its own, started with the first line, passes them to `writer` in order."""

    def __init__(self, writer: LineWriter, max_bytes: int = _MAX_BYTES) -> None:
        self._writer = writer
        self._max_bytes = max_bytes
        self.dropped = 0
        """How many lines did not fit so far."""
        self.reset()

    def reset(self) -> None:
        """Start empty, as a forked process has to: the thread is its parent's, and writes what was queued there."""
        self._entries: SimpleQueue[_Entry] = SimpleQueue()
        # Reentrant: garbage is collected anywhere, and a finalizer may log.
        self._lock = threading.RLock()
        self._pending_bytes = 0
        self._unreported = 0
        self._thread: threading.Thread | None = None
        self._starting = False

    def put(self, line: bytes) -> None:
        """Queue a line, or drop it."""
        size = len(line) + _ENTRY_BYTES
        with self._lock:
            # One line larger than all is queued alone: it is in memory anyway.
            full = self._pending_bytes and self._pending_bytes + size > self._max_bytes
            if full or not self._has_thread():
                self.dropped += 1
                self._unreported += 1
                return
            self._pending_bytes += size
            self._enqueue(line, None)

    def flush(self) -> None:
        """Have the thread report dropped lines, also if no other line follows."""
        if not self._pending_bytes and (self._unreported or self._writer.is_behind):
            self.put(b"")

    def drain(self, within_s: float) -> bool:
        """Wait for what is queued, so long at most. Returns whether it was written or dropped by then."""
        done = threading.Event()
        with self._lock:
            if not self._pending_bytes and not self._unreported:
                return True
            if not self._has_thread():
                return False
            self._enqueue(b"", done)
        return done.wait(within_s)

    def _enqueue(self, line: bytes, done: threading.Event | None) -> None:
        dropped, self._unreported = self._unreported, 0
        self._entries.put((line, dropped, done))

    def _has_thread(self) -> bool:
        """Start the thread where it does not run. False where the system has none left."""
        # A finalizer may log while the thread is started: its line waits for that thread.
        if not self._starting and (self._thread is None or not self._thread.is_alive()):
            self._starting = True
            try:
                self._thread = threading.Thread(target=self._run, args=(self._entries,), name="log", daemon=True)
                self._thread.start()
            except RuntimeError:
                self._thread = None
                return False
            finally:
                self._starting = False
        return True

    def _run(self, entries: SimpleQueue[_Entry]) -> None:
        credit, seen_s = float(_BURST), time.monotonic()
        while True:
            lines: list[bytes] = []
            for line, dropped, done in _take(entries):
                if dropped:
                    self._pass_on(lines)
                    self._writer.report(dropped)
                if done:
                    self._pass_on(lines)
                    self._writer.catch_up()
                    done.set()
                else:
                    lines.append(line)
            self._pass_on(lines)
            now_s = time.monotonic()
            credit, seen_s = min(credit + (now_s - seen_s) * _WRITES_A_SECOND, _BURST) - 1, now_s
            if credit < 0:
                time.sleep(_PAUSE_S)

    def _pass_on(self, lines: list[bytes]) -> None:
        """Write lines at once, and empty the list."""
        if not lines:
            return
        text = b"".join(lines)
        if text:
            self._writer.write(text, sum(map(bool, lines)))
        else:
            self._writer.catch_up()
        with self._lock:
            self._pending_bytes -= len(text) + len(lines) * _ENTRY_BYTES
        lines.clear()


def _take(entries: SimpleQueue[_Entry]) -> list[_Entry]:
    """Wait for an entry; return it with those that came meanwhile, as many as make a batch. One thread alone takes them."""
    batch = [entries.get()]
    size = len(batch[0][0])
    while size < _BATCH_BYTES and not entries.empty():
        batch.append(entries.get())
        size += len(batch[-1][0]) + _ENTRY_BYTES
    return batch
