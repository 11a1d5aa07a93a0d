"""A process whose log accepts nothing: it responds as usual, counts the dropped lines, and ends in time."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from fixtures.broken_logs import BROKEN_LOGS, fill_descriptor
from fixtures.frozen_disk import frozen_disk
from fixtures.metrics import scrape_metrics, wait_for_metrics
from fixtures.processes import Processes, Service, environment, free_port
from fixtures.waiting import wait_until

SAMPLE = Path(__file__).with_name("sample_process.py")
DROPPED = "sector_log_lines_dropped_total"


def start(processes: Processes, stderr: int) -> Service:
    processes.stderr = stderr
    service = processes.start("api", module="sample_process", wait=False, WORK="wait")
    wait_for_metrics(service.url, lambda metrics: metrics["sector_ready"] == 1, "it is ready")
    return service


def log_a_line(service: Service) -> int:
    """Let the process log a line. Returns the status of the response."""
    return httpx.get(f"{service.url}/log", timeout=30).status_code


@pytest.mark.parametrize("kind", BROKEN_LOGS)
def test_it_responds_counts_dropped_lines_and_ends_in_time(kind: str, processes: Processes, tmp_path: Path) -> None:
    with BROKEN_LOGS[kind](tmp_path) as stderr:
        service = start(processes, stderr)
        fill_fifo(kind, stderr)
        assert [log_a_line(service) for _ in range(3)] == [204] * 3
        assert scrape_metrics(service.url)[DROPPED] == 3
        assert service.end() == 0


LARGE = 2**20
"""The size of a line in bytes. The queue of a file can hold a few of them."""


def test_a_stalled_disk_does_not_block_it(processes: Processes) -> None:
    service = processes.start("api", module="sample_process", WORK="wait", STALLED_LOG="1")
    log_large_lines(service)
    assert service.end() == 0


def log_large_lines(service: Service) -> None:
    """Let the process log more than its queue can hold."""
    answers = [httpx.get(f"{service.url}/log", params={"bytes": LARGE}, timeout=30).status_code for _ in range(8)]
    assert answers == [204] * 8
    assert 0 < scrape_metrics(service.url)[DROPPED] < 8


def test_a_frozen_file_system_blocks_only_the_log(processes: Processes) -> None:
    with frozen_disk() as disk, (disk.folder / "log").open("wb", buffering=0) as log:
        service = start(processes, log.fileno())
        disk.freeze()
        assert log_a_line(service) == 204
        log_large_lines(service)
        service.process.terminate()
        # The system retains only its process id until the write returns.
        wait_until(lambda: state_of(service) == "Z", "its end", timeout_s=15)
        disk.thaw()
        assert service.process.wait(timeout=60) == 0


def test_after_a_thaw_the_log_reports_the_dropped_lines(processes: Processes) -> None:
    with frozen_disk() as disk, (disk.folder / "log").open("wb", buffering=0) as log:
        service = start(processes, log.fileno())
        disk.freeze()
        log_large_lines(service)
        disk.thaw()
        wait_until(lambda: b"log lines dropped" in (disk.folder / "log").read_bytes(), "the notice")
        assert service.end() == 0


def state_of(service: Service) -> str:
    """Return the state of its main thread, as in /proc."""
    return Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def fill_fifo(kind: str, stderr: int) -> None:
    if kind == "FIFO without a reader":
        fill_descriptor(stderr)


def test_a_line_reports_how_many_lines_were_dropped(processes: Processes) -> None:
    reader, writer = os.pipe()
    fill_descriptor(writer)
    service = start(processes, writer)
    os.close(writer)
    for _ in range(3):
        log_a_line(service)
    wait_for_metrics(service.url, lambda metrics: metrics[DROPPED] == 3, "three lines are dropped")
    os.set_blocking(reader, False)

    def notice() -> dict[str, object] | None:
        lines = b"".join(iter(lambda: read(reader), b"")).splitlines()
        notices: list[dict[str, object]] = [json.loads(line) for line in lines if b"dropped" in line]
        return notices[0] if notices else None

    line_fields = wait_until(notice, "a line says so")
    assert line_fields is not None
    assert line_fields["event"] == "log lines dropped, reader too slow"
    assert (line_fields["level"], line_fields["service"], line_fields["dropped"]) == ("warning", "sector-sample", 3)
    os.close(reader)


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return b""


def _to(path: str) -> Callable[[], None]:
    def redirect() -> None:
        os.dup2(os.open(path, os.O_WRONLY), 2)

    return redirect


LOAD = "from sector.process import Settings, load; load(Settings, about='a process')"


@pytest.mark.parametrize("redirect", [_to("/dev/full"), lambda: os.close(2)], ids=["full disk", "closed"])
@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (["-c", LOAD], {"MAX_CONNECTIONS": "-1"}),
        ([str(SAMPLE), "8000"], {"PROMETHEUS_MULTIPROC_DIR": "/dev/null/x"}),
        ([str(SAMPLE), "8000"], {"OPERATOR_PORT": "8000"}),
    ],
    ids=["setting", "metrics", "port"],
)
def test_a_wrong_setting_still_exits_with_2(
    command: list[str], wrong: dict[str, str], redirect: Callable[[], None]
) -> None:
    settings = environment(WORK="wait", **wrong)
    done = subprocess.run(
        [sys.executable, *command], env=settings, preexec_fn=redirect, stdout=subprocess.PIPE, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, b"")


def test_it_serves_and_ends_if_standard_error_is_closed(processes: Processes, tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(SAMPLE), str(port)], env=environment(WORK="wait"), preexec_fn=lambda: os.close(2)
    )
    service = Service("sample", process, port, tmp_path / "none")
    wait_for_metrics(service.url, lambda metrics: metrics["sector_ready"] == 1, "it is ready")
    assert log_a_line(service) == 204
    assert scrape_metrics(service.url)[DROPPED] == 1
    assert service.end() == 0


FINALIZED = """
import atexit, gc, logging, sys, threading
from sector.process.logs import configure

configure("x", "info", "json")
log = logging.getLogger("finalized")

class Finalized:
    def __del__(self):
        log.error("finalized", extra={"text": "x" * 500})
"""
ENDINGS = {
    "in a collection of garbage": """
for _ in range(500):
    cycle = Finalized()
    cycle.cycle = cycle
del cycle
gc.collect()
""",
    "in a write": """
class Shown:
    def __repr__(self):
        del globals()["last"]
        return "shown"
for _ in range(500):
    last = Finalized()
    log.error("a line", extra={"value": Shown()})
""",
    "in an exit handler": "atexit.register(log.error, 'ended')",
    "of modules at the end": "sys.last_finalized = last_finalized = Finalized()",
    "of an object that fails": """
class Failing:
    def __del__(self):
        raise ValueError("x" * 500)
last_failing = Failing()
for _ in range(500):
    Failing()
""",
    "in a daemon thread": """
def log_forever():
    while True:
        log.error("a line")
threading.Thread(target=log_forever, daemon=True).start()
""",
}


@pytest.mark.parametrize("kind", [*BROKEN_LOGS, "closed"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_finalizer_that_logs_does_not_hold_up_the_end(ending: str, kind: str, tmp_path: Path) -> None:
    code = f"{FINALIZED}{ENDINGS[ending]}\nprint('last statement', flush=True)\nsys.exit(3)"
    # Coverage has exit handlers of its own, and waits for threads that run on.
    variables = {name: value for name, value in environment().items() if name != "COVERAGE_PROCESS_START"}
    with ExitStack() as stack:
        stderr = None if kind == "closed" else stack.enter_context(BROKEN_LOGS[kind](tmp_path))
        if stderr is not None:
            fill_fifo(kind, stderr)
        ended = subprocess.run(
            [sys.executable, "-c", code],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=stderr,
            preexec_fn=(lambda: os.close(2)) if stderr is None else None,
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stdout) == (3, b"last statement\n")
