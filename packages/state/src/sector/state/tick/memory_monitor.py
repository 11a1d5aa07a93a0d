"""The memory of Redis, as a ticker knows it: it is read along with a tick, once a second and after large writes."""

import time
from collections.abc import Sequence

from sector.state.redis.command_encoding import Command
from sector.state.redis.memory import MEMORY_COMMAND, NO_LIMIT, memory_use
from sector.state.redis.replies import Reply

_INTERVAL_S, _LARGE_WRITE_BYTES = 1.0, 2**16


class MemoryMonitor:
    """Reads the memory of Redis in round trips that others make. `use`: the last values."""

    def __init__(self) -> None:
        self.use = NO_LIMIT
        self._due_s = 0.0

    def commands(self) -> list[Command]:
        """Return the command that reads the memory, if it is due."""
        return [MEMORY_COMMAND] if time.monotonic() >= self._due_s else []

    def update(self, replies: Sequence[Reply]) -> None:
        """Take the replies to `commands`."""
        for reply in replies:
            self.use, self._due_s = memory_use(reply), time.monotonic() + _INTERVAL_S

    def count_write(self, size: int) -> None:
        """Make the next reading due if `size` bytes are many."""
        if size > _LARGE_WRITE_BYTES:
            self._due_s = 0.0
