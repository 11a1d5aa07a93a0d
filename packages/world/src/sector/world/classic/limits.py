"""What a program of somebody else may use: a clean environment, and bounded memory, processor time, files and descriptors.

This is no sandbox: the program has the rights of the user who runs it. The number of processes is not limited, because the system
counts all those of the user; the guard ends them with the match.
"""

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PASSED_VARIABLES = ("PATH", "LANG")
_MIB = 2**20
_MAX_CPU_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one program.

    A Java machine reserves addresses that it does not use, and chooses its heap by `memory_mib`: 4096 suits it. `cpu_s` counts the
    time of all its threads.
    """

    memory_mib: int = 4096
    cpu_s: int = 3600
    descriptors: int = 256
    file_mib: int = 64

    @classmethod
    def of_match(cls, turn_ms: int, max_turns: int, memory_mib: int) -> "Limits":
        """Return limits that a program does not meet which keeps four processors busy in every turn."""
        return cls(memory_mib, cpu_s=min(60 + 4 * (max_turns + 1) * turn_ms // 1000, _MAX_CPU_S))

    def resources(self) -> list[tuple[int, int]]:
        """Return the limits as the system has them: numbers of resources, and their limits."""
        return [
            (resource.RLIMIT_AS, self.memory_mib * _MIB),
            (resource.RLIMIT_CPU, self.cpu_s),
            (resource.RLIMIT_NOFILE, self.descriptors),
            (resource.RLIMIT_FSIZE, self.file_mib * _MIB),
            (resource.RLIMIT_CORE, 0),
        ]


def environment(ours: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of a program: nothing of ours but where programs are and the language. Its home is the folder it runs in."""
    return {"HOME": str(Path.cwd()), **{name: ours[name] for name in _PASSED_VARIABLES if name in ours}}
