"""Writer of lines to a descriptor.

Lines stay complete. Those that cannot be written are dropped, counted and reported later.
"""

import time
from collections.abc import Callable

_NOTICE_EVERY_S = 1.0

type Write = Callable[[bytes], int]
"""Returns how many bytes were written. Raises BlockingIOError if nothing can be written now, or another OSError."""
type Notice = Callable[[int], str]
"""Returns the line that reports the number of dropped lines."""


def plain_notice(lines: int) -> str:
    """Return the notice as plain text."""
    return f"log lines dropped, reader too slow: {lines}\n"


class LineWriter:
    """Writes lines with `write`, and never raises OSError. Only one thread may use it at a time."""

    def __init__(
        self, write: Write, notice: Notice = plain_notice, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._rest = b""
        self._unreported = 0
        self._reported_s = float("-inf")
        self.notice = notice
        self.dropped = 0
        """The number of lines that could not be written so far."""

    @property
    def is_behind(self) -> bool:
        """Whether a line is partly written, or dropped lines are not reported yet."""
        return bool(self._rest or self._unreported)

    def write(self, text: bytes, lines: int = 1) -> None:
        """Write a text of `lines` lines, or drop them."""
        if self.is_behind:
            self.catch_up()
        byte_count = None if self._rest else self._try_write(text)
        if byte_count is None:
            self.dropped += lines
            self._unreported += lines
        elif byte_count < len(text):
            self._rest = text[byte_count:]

    def report(self, lines: int) -> None:
        """Include lines that were dropped elsewhere in the next notice."""
        self._unreported += lines

    def catch_up(self) -> None:
        """Write the rest of a partly written line, so that the next line does not begin inside it.

        Then report dropped lines.
        """
        if self._rest:
            self._rest = self._rest[self._try_write(self._rest) or 0 :]
        if self._rest or not self._unreported or (now_s := self._clock()) - self._reported_s < _NOTICE_EVERY_S:
            return
        line = self.notice(self._unreported).encode(errors="replace")
        if (byte_count := self._try_write(line)) is not None:
            self._rest, self._unreported, self._reported_s = line[byte_count:], 0, now_s

    def forget(self) -> None:
        """Discard a partly written line in a forked process. The parent completes it."""
        self._rest, self._unreported = b"", 0

    def _try_write(self, text: bytes) -> int | None:
        """Return how many bytes were written, or None if nothing could be written."""
        try:
            return self._write(text)
        except OSError:
            # The line is counted, and /metrics has the count. There is no other place to report it.
            return None
