"""The kernel enforces the memory limits under which the hostile suite runs services."""

import subprocess
import sys

import pytest

from fixtures.memory_limit import MemoryGroup, memory_group
from fixtures.processes import Processes
from fixtures.waiting import wait_until
from hostile.limits import pod_bytes

MIB = 2**20
LIMIT = 64 * MIB


def limited(group: MemoryGroup | None) -> MemoryGroup:
    if group is None:
        pytest.skip("needs the right to make control groups with a limit of memory")
    return group


def take(group: MemoryGroup, taken_bytes: int) -> int:
    """Run a process that uses this number of bytes. Returns its exit code."""
    command = group.command([sys.executable, "-c", f"text = b'x' * {taken_bytes}"])
    return subprocess.run(command, check=False, timeout=60).returncode


def test_only_the_process_above_its_limit_is_killed() -> None:
    with memory_group("test", LIMIT) as group_or_none:
        group = limited(group_or_none)
        assert take(group, LIMIT // 4) == 0
        assert group.kills == 0
        assert take(group, 2 * LIMIT) in (-9, 137)
        assert group.kills == 1


def test_processes_of_a_group_share_its_limit() -> None:
    with memory_group("test", LIMIT) as group_or_none:
        group = limited(group_or_none)
        holds = group.command([sys.executable, "-c", f"text = b'x' * {LIMIT // 2}; print(flush=True); input()"])
        with subprocess.Popen(holds, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"\n"
            take(group, 3 * LIMIT // 4)
            assert group.kills == 1, "one of the two"
            holder.kill()


def test_a_memory_group_is_removed_at_the_end() -> None:
    with memory_group("test", LIMIT) as group_or_none:
        folder = limited(group_or_none).folder
        assert folder.exists()
    assert not folder.exists()


def test_a_service_above_the_limit_of_its_group_is_killed(processes: Processes) -> None:
    with memory_group("test", 16 * MIB) as group_or_none:
        processes.memory_group = limited(group_or_none)
        service = processes.start("bot", wait=False)
        wait_until(lambda: service.process.poll() is not None, "its end: Python with its libraries takes more")
        assert service.process.returncode in (-9, 137)
        processes.end_all()


@pytest.mark.parametrize(("service", "mib"), [("api", 512), ("viz", 1024), ("worker", 1024), ("bot", 256)])
def test_the_tested_limits_equal_the_manifests(service: str, mib: int) -> None:
    assert pod_bytes(service) == mib * MIB
