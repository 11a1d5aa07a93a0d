"""Limits for an untrusted program: a clean environment, and bounded memory, processor time, files and descriptors.

This is not a sandbox: the program has the rights of the user. The number of processes is not limited, because the
system counts all processes of the user. The guard ends them with the match.
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
    """The limits of one program: MiB of address space and seconds of processor time of all its threads, among others.

    A Java machine reserves much more address space than it uses and derives its heap from the limit. 4096 MiB is enough
    for it.
    """

    memory_mib: int = 4096
    cpu_s: int = 3600
    descriptors: int = 256
    file_mib: int = 64

    @classmethod
    def of_match(cls, turn_ms: int, max_turns: int, memory_mib: int) -> "Limits":
        """Return limits that leave room for a program that uses four processors fully in every turn."""
        return cls(memory_mib, cpu_s=min(60 + 4 * (max_turns + 1) * turn_ms // 1000, _MAX_CPU_S))

    def resources(self) -> list[tuple[int, int]]:
        """Return the limits as pairs of a resource number and its limit."""
        return [
            (resource.RLIMIT_AS, self.memory_mib * _MIB),
            (resource.RLIMIT_CPU, self.cpu_s),
            (resource.RLIMIT_NOFILE, self.descriptors),
            (resource.RLIMIT_FSIZE, self.file_mib * _MIB),
            (resource.RLIMIT_CORE, 0),
        ]


def environment(ours: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of a program: the path, the language, and the current folder as its home."""
    return {"HOME": str(Path.cwd()), **{name: ours[name] for name in _PASSED_VARIABLES if name in ours}}
