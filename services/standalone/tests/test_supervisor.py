"""The supervisor of a world: processes that die, or do not end."""

import asyncio
import itertools
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from fixtures.processes import free_port
from fixtures.waiting import wait_until
from sector.models.regular_file import open_output, read_tail
from sector.standalone import standalone
from sector.standalone import supervisor as supervising
from sector.standalone.options import parser
from sector.standalone.standalone import _bring_up, run
from sector.standalone.supervisor import Supervisor
from sector.standalone.topology import ProcessSpec, Topology

IGNORES_SIGTERM = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
)


class Lines:
    """The lines that the supervisor prints."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._came = asyncio.Event()

    def __call__(self, text: str) -> None:
        self.all.append(text)
        self._came.set()

    async def first(self) -> str:
        """Wait for the first line."""
        await self._came.wait()
        return self.all[0]


def python(name: str, code: str, *, ready_url: str | None = None) -> ProcessSpec:
    return ProcessSpec(name, (sys.executable, "-S", "-c", code), {}, free_port(), ready_url)


def topology(redis_url: str, *services: ProcessSpec) -> Topology:
    return Topology(
        None, redis_url, services, "http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1", "token"
    )


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
async def supervisor(tmp_path: Path, lines: Lines) -> AsyncIterator[Supervisor]:
    """A supervisor that runs until the end of the test."""
    one = Supervisor(tmp_path, lines)
    await one.start()
    yield one
    await one.stop(None)


def pauses(monkeypatch: pytest.MonkeyPatch, pause_s: float) -> None:
    """Set the length of every restart delay."""

    def repeat(*, first_s: float, max_s: float) -> Iterator[float]:
        assert first_s <= max_s
        return itertools.repeat(pause_s)

    monkeypatch.setattr(supervising, "backoff", repeat)


async def test_a_service_that_dies_repeatedly_ends_the_start_with_its_log(
    supervisor: Supervisor, redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses(monkeypatch, 0.0)
    url = f"http://127.0.0.1:{free_port()}/health/ready"
    broken = python("worker", "print('a wrong setting'); raise SystemExit(3)", ready_url=url)
    starting = python("api", IGNORES_SIGTERM.replace("SIG_IGN", "SIG_DFL"), ready_url=url)
    assert not await _bring_up(topology(redis_url, broken, starting), supervisor, asyncio.Event(), 10.0)
    out, err = capsys.readouterr()
    assert "starting worker, api" in out
    assert err.startswith("worker did not become ready and died ")
    assert "times. Its log ends:\n    a wrong setting\n" in err
    assert "api did not" not in err, "it is not to blame"
    assert supervisor.deaths["worker"] >= 3


async def test_a_stop_while_waiting_for_redis_reports_no_error(
    supervisor: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = asyncio.Event()
    stop.set()
    never = python("worker", "raise SystemExit(3)")
    assert not await _bring_up(topology(f"redis://127.0.0.1:{free_port()}/0", never), supervisor, stop, 10.0)
    out, err = capsys.readouterr()
    assert "waiting for Redis" in out
    assert "starting worker" not in out
    assert err == ""


async def test_a_stop_during_the_restart_delay_takes_effect_at_once(
    tmp_path: Path, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses(monkeypatch, 3600.0)
    one = Supervisor(tmp_path, lines)
    await one.start()
    one.supervise(python("worker", "raise SystemExit(3)"))
    assert (await lines.first()).startswith("worker died (exit code 3); starting it again.")
    await one.stop(None)
    assert one.deaths == {"worker": 1}
    assert len(lines.all) == 1


async def test_a_process_that_does_not_end_is_killed(
    tmp_path: Path, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "_STOP_SERVICES_S", 0.05)
    one = Supervisor(tmp_path, lines)
    await one.start()
    stubborn = python("worker", IGNORES_SIGTERM)
    one.supervise(stubborn)
    log = one.log_of(stubborn)
    await asyncio.to_thread(wait_until, lambda: log.exists() and "ready" in log.read_text(), "a process that runs")
    process = one._running["worker"]
    await one.stop(None)
    assert process.returncode == -signal.SIGKILL
    assert lines.all == [], "it is not started again, and no death is reported"


async def test_a_supervisor_must_be_started_first(tmp_path: Path, lines: Lines) -> None:
    one = Supervisor(tmp_path, lines)
    with pytest.raises(RuntimeError, match="the supervisor was not started"):
        await one._spawn(python("worker", "raise SystemExit(3)"))
    await one.stop(None)
    assert list(tmp_path.iterdir()) == []


async def test_an_unreadable_secret_ends_the_start_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "auth-secret").mkdir()
    options = parser().parse_args(["--port-base", "64000"])
    assert await run(options, "redis://127.0.0.1:1/0", tmp_path) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"the secret in {tmp_path} cannot be used: ")
    assert [path.name for path in tmp_path.iterdir()] == ["auth-secret"]


async def test_a_process_started_during_stop_is_ended(tmp_path: Path, lines: Lines) -> None:
    supervisor = Supervisor(tmp_path, lines)
    await supervisor.start()
    supervisor.supervise(python("api", "import signal; signal.pause()"))
    # The supervisor is starting the process, so no list contains the process yet.
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await supervisor.stop(None)
    assert lines.all == []


async def test_a_process_whose_log_cannot_be_written_runs_without_one(supervisor: Supervisor, lines: Lines) -> None:
    spec = python("silent", "print('ready', flush=True); raise SystemExit(7)")
    os.mkfifo(supervisor.log_of(spec))
    supervisor.supervise(spec)
    assert "silent runs without a log: " in await lines.first()
    await asyncio.to_thread(
        wait_until, lambda: any("exit code 7" in line for line in lines.all), "the process ends by itself"
    )


async def test_a_log_on_a_disk_that_stalls_does_not_hold_up_the_supervisor(
    supervisor: Supervisor, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    thawed = threading.Event()

    @contextmanager
    def stall(path: Path, *, append: bool) -> Iterator[BinaryIO]:
        thawed.wait()
        with open_output(path, append=append) as log:
            yield log

    monkeypatch.setattr(supervising, "open_output", stall)
    monkeypatch.setattr(supervising, "_OPEN_LOG_S", 0.05)
    supervisor.supervise(python("silent", "raise SystemExit(7)"))
    supervisor.supervise(python("other", "raise SystemExit(7)"))
    assert (await lines.first()).endswith("silent.log: it cannot be written: the disk does not answer")
    await asyncio.to_thread(wait_until, lambda: any("exit code 7" in line for line in lines.all), "both run")
    thawed.set()


async def test_no_process_starts_after_a_stop_while_its_log_is_opened(
    tmp_path: Path, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, thawed = threading.Event(), threading.Event()

    @contextmanager
    def stall(path: Path, *, append: bool) -> Iterator[BinaryIO]:
        opening.set()
        thawed.wait()
        with open_output(path, append=append) as log:
            yield log

    monkeypatch.setattr(supervising, "open_output", stall)
    one = Supervisor(tmp_path, lines)
    await one.start()
    one.supervise(python("late", f"open({str(tmp_path / 'started')!r}, 'w').close()"))
    await asyncio.to_thread(opening.wait)
    stop = asyncio.create_task(one.stop(None))
    await asyncio.sleep(0)
    thawed.set()
    await stop
    assert one._running == {}
    assert not (tmp_path / "started").exists()


async def test_a_tail_on_a_disk_that_stalls_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thawed = threading.Event()

    def stall(path: Path, max_bytes: int) -> bytes:
        thawed.wait()
        return read_tail(path, max_bytes)

    monkeypatch.setattr(standalone, "read_tail", stall)
    monkeypatch.setattr(standalone, "_READ_LOG_S", 0.05)
    assert "the disk does not answer" in await standalone._tail(tmp_path / "worker.log")
    thawed.set()


async def test_a_service_that_does_not_become_ready_in_time_ends_the_start_with_progress(
    supervisor: Supervisor, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = python("api", IGNORES_SIGTERM, ready_url=f"http://127.0.0.1:{free_port()}/health/ready")
    stop, limit = asyncio.Event(), {"ready_within_s": 0.5, "progress_every_s": 0.0}
    assert not await _bring_up(topology(redis_url, slow), supervisor, stop, 10.0, **limit)
    out, err = capsys.readouterr()
    assert "  waiting for api (0 s)\n" in out
    assert err.startswith("api did not become ready within 0.5 s. Its log ends:\n")


async def test_a_valkey_that_does_not_start_is_reported_with_the_end_of_its_log(
    supervisor: Supervisor, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dying = python("valkey", "raise SystemExit('Bad file format reading the append only file')")
    at = f"unix://{tmp_path}/missing.sock?db=0"
    dying_plan = Topology(dying, at, (), "http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1", "token")
    assert not await _bring_up(dying_plan, supervisor, asyncio.Event(), 1.0)
    errors = capfd.readouterr().err
    assert "valkey did not become ready and died 3 times. Its log ends:" in errors
    assert "Bad file format" in errors
