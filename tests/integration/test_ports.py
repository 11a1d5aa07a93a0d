"""Tests that run at the same time get different ports."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from fixtures.ports import free_port, is_free
from fixtures.processes import environment

TAKE = "from fixtures.ports import free_port; print(*(free_port() for _ in range(60)), flush=True); input()"


def test_processes_get_distinct_free_ports() -> None:
    ours = [free_port() for _ in range(60)]
    command = [sys.executable, "-c", TAKE]
    others = [
        subprocess.Popen(command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ports = [*ours]
    for other in others:
        assert other.stdout
        ports.extend(map(int, other.stdout.readline().split()))
    for other in others:
        other.communicate("\n", timeout=60)
    assert len(set(ports)) == len(ports) == 240
    assert all(map(is_free, ports))


def test_threads_get_different_ports() -> None:
    with ThreadPoolExecutor(8) as threads:
        ports = list(threads.map(lambda _: free_port(), range(400)))
    assert len(set(ports)) == 400
