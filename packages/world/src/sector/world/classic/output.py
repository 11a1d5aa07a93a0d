"""The output of a program, which is read line by line during its turn."""

import asyncio
import os
from collections import deque

MAX_LINE_BYTES = 2**16
MAX_TURN_BYTES = 2**20
_CHUNK_BYTES = 2**16
_QUIET_S = 0.005
_QUIET_AFTER_OUTPUT_S = 0.05
"""A program that wrote out of turn may wait for room in the pipe to write more."""


class OutputTooLong(ValueError):
    """A program wrote a longer line, or more lines in one turn, than the limits allow."""


class Output:
    """Reads lines from a descriptor, which it owns.

    It reads nothing between two turns. A program that writes then blocks when the pipe is full.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._partial = b""
        self._turn_bytes = 0
        self._is_at_end = False

    async def discard(self) -> int:
        """Begin a turn: discard the output since the last turn and return its number of bytes.

        It waits until the program is silent for a moment. So it also discards output that the program writes right
        after `go` in a second call, even if all other programs have replied.
        """
        dropped = sum(len(line) + 1 for line in self._lines) + len(self._partial)
        self._lines.clear()
        self._partial = b""
        while not self._is_at_end and await self._wait_readable(_QUIET_AFTER_OUTPUT_S if dropped else _QUIET_S):
            dropped += len(self._read())
        self._turn_bytes = 0
        return dropped

    async def line(self) -> bytes | None:
        """Return the next line, or None at the end of the output. Raises OutputTooLong."""
        while not self._lines:
            if self._is_at_end:
                last, self._partial = self._partial, b""
                return last or None
            await self._wait_readable(None)
            chunk = self._read()
            self._turn_bytes += len(chunk)
            *lines, self._partial = (self._partial + chunk).split(b"\n")
            self._lines.extend(lines)
            if len(self._partial) > MAX_LINE_BYTES or self._turn_bytes > MAX_TURN_BYTES:
                raise OutputTooLong(
                    f"a line of more than {MAX_LINE_BYTES} bytes, or a turn of more than {MAX_TURN_BYTES}"
                )
        return self._lines.popleft()

    def close(self) -> None:
        """Close the descriptor. Further calls do nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._is_at_end = True

    def _read(self) -> bytes:
        try:
            chunk = os.read(self._descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return b""
        self._is_at_end = not chunk
        return chunk

    async def _wait_readable(self, within_s: float | None) -> bool:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._descriptor, readable.set)
        try:
            async with asyncio.timeout(within_s):
                await readable.wait()
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(self._descriptor)
        return True
