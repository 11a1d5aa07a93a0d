"""Freed memory is retained for the next large block."""

import subprocess
import sys

import pytest

from fixtures.processes import environment

SCRIPT = """
import resource, sys
from sector.process.memory import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit(3)
block = bytes(range(256)) * 160_000  # 41 MB
for turn in range(4):
    b"".join((block, b"."))
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
b"".join((block, b"."))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    """Return how many page faults a block of 41 MB causes after other blocks of the same size."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, how], env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode == 3:
        pytest.skip("needs glibc: the C library here has no mallopt")
    return int(done.stdout)


def test_the_next_large_block_causes_no_page_faults() -> None:
    assert page_faults("keep") < 100
