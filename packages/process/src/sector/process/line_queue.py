"""Queue of lines that a thread writes to a file. A write waits for the disk, which must not block the event loop.

A stalled network disk or a frozen file system blocks only the thread. The queue is bounded in bytes. Lines that do not
fit are dropped, and a process that is killed loses at most the queue.
"""

import threading
import time
from queue import SimpleQueue

from sector.process.line_writer import LineWriter

_MAX_BYTES = 2**22
_BATCH_BYTES = 2**18
_WRITES_A_SECOND, _BURST, _PAUSE_S = 1_000, 50, 0.002
"""Above this rate the thread pauses, and joins the lines that follow: waking it for a line costs more than the line."""
_ENTRY_BYTES = 100
"""The memory of a queued line in addition to its text, in bytes."""

type _Entry = tuple[bytes, int, threading.Event | None]
"""A line, the number of lines that were dropped before it, and an event that is set after the write."""


class LineQueue:
    """Queues lines from any thread without waiting.

    Its own thread passes them to `writer` in order, and starts with the first line.
    """

    def __init__(self, writer: LineWriter, max_bytes: int = _MAX_BYTES) -> None:
        self._writer = writer
        self._max_bytes = max_bytes
        self.dropped = 0
        """The number of lines that did not fit so far."""
        self.reset()

    def reset(self) -> None:
        """Discard the queue, as a forked process must. The thread belongs to the parent, which writes the queued lines."""
        self._entries: SimpleQueue[_Entry] = SimpleQueue()
        # The lock is reentrant, because garbage collection may run anywhere, and a finalizer may log.
        self._lock = threading.RLock()
        self._pending_bytes = 0
        self._unreported = 0
        self._thread: threading.Thread | None = None
        self._starting = False

    def put(self, line: bytes) -> None:
        """Queue a line, or drop it if the queue is full."""
        size = len(line) + _ENTRY_BYTES
        with self._lock:
            # A line that is larger than the limit is queued if the queue is empty, since it is in memory anyway.
            full = self._pending_bytes and self._pending_bytes + size > self._max_bytes
            if full or not self._has_thread():
                self.dropped += 1
                self._unreported += 1
                return
            self._pending_bytes += size
            self._enqueue(line, None)

    def flush(self) -> None:
        """Let the thread report dropped lines, even if no other line follows."""
        if not self._pending_bytes and (self._unreported or self._writer.is_behind):
            self.put(b"")

    def drain(self, within_s: float) -> bool:
        """Wait until all queued lines are written or dropped, at most `within_s` seconds. Return whether they are."""
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
        """Start the thread if it does not run. Return False if the system has no thread left."""
        # A finalizer may log while the thread is starting. Its line waits for the thread.
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
        """Write lines and empty the list."""
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
    """Wait for an entry. Return it with the entries that follow, up to a batch. Only one thread may call this."""
    batch = [entries.get()]
    size = len(batch[0][0])
    while size < _BATCH_BYTES and not entries.empty():
        batch.append(entries.get())
        size += len(batch[-1][0]) + _ENTRY_BYTES
    return batch
