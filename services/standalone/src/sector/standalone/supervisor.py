"""The supervisor: starts processes, restarts those that die, and stops all of them."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from sector.models.printable import printable
from sector.models.regular_file import FileError, open_output
from sector.process import backoff, start_daemon_thread, wait_for_stop
from sector.process.daemon_thread import ThreadLimitError
from sector.process.settings import EXIT_WRONG_SETTING
from sector.standalone.topology import ProcessSpec

_STOP_SERVICES_S = 6.0
_STOP_REDIS_S = 5.0
_OPEN_LOG_S = 3.0

type PrintLine = Callable[[str], None]


class Supervisor:
    """Owns the processes of a world. Their output goes to one log file each in `logs`."""

    def __init__(self, logs: Path, print_line: PrintLine) -> None:
        self._logs = logs
        self._print_line = print_line
        self._running: dict[str, Process] = {}
        self.deaths: Counter[str] = Counter()
        self.refusals: set[str] = set()
        """Processes that exited because of an invalid setting. A restart does not help."""
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._watchdog: Process | None = None
        self._alive_fd = -1

    async def start(self) -> None:
        """Start the watchdog, without which nothing else is started. Children inherit the write end of its pipe."""
        gone_fd, self._alive_fd = os.pipe()
        self._watchdog = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sector.standalone.watchdog",
            str(gone_fd),
            stdin=PIPE,
            env=_environment({}),
            pass_fds=(gone_fd,),
            process_group=0,
        )
        os.close(gone_fd)

    def supervise(self, spec: ProcessSpec) -> None:
        """Run a process until `stop`, and restart it whenever it dies."""
        self._tasks.append(asyncio.create_task(self._restart_until_stop(spec), name=spec.name))

    async def _restart_until_stop(self, spec: ProcessSpec) -> None:
        pauses = backoff(first_s=0.2, max_s=5.0)
        while not self._stopping.is_set():
            process = await self._spawn(spec)
            if process is None:
                return
            if self._stopping.is_set():
                # `stop` did not end this process, because it had not started yet.
                await _end([process], _STOP_SERVICES_S)
                return
            code = await process.wait()
            if self._stopping.is_set():
                return
            self.deaths[spec.name] += 1
            if code == EXIT_WRONG_SETTING:
                self.refusals.add(spec.name)
            self._print_line(
                f"{spec.name} died ({_describe_exit(code)}); starting it again. Its log: {self.log_of(spec)}"
            )
            await wait_for_stop(self._stopping, next(pauses))

    async def _spawn(self, spec: ProcessSpec) -> Process | None:
        """Start a process. None if `stop` came while its log was opened."""
        if self._watchdog is None:
            raise RuntimeError("the supervisor was not started")
        log = await self._open_log(spec)
        try:
            if self._stopping.is_set():
                return None
            process = await asyncio.create_subprocess_exec(
                *spec.command,
                stdin=DEVNULL,
                stdout=DEVNULL if log is None else log,
                stderr=DEVNULL if log is None else log,
                env=_environment(spec.environment),
                pass_fds=(self._alive_fd,),
                process_group=self._watchdog.pid,
            )
        finally:
            if log is not None:
                os.close(log)
        self._running[spec.name] = process
        return process

    async def _open_log(self, spec: ProcessSpec) -> int | None:
        """Open the log of a process. None where it cannot be written any more, or its disk stalls: the process runs without one."""
        opening = start_daemon_thread(partial(_open_log_file, self.log_of(spec)), "log")
        try:
            return await asyncio.wait_for(asyncio.shield(opening), _OPEN_LOG_S)
        except TimeoutError:
            reason = f"{self.log_of(spec)}: it cannot be written: the disk does not answer"
            opening.add_done_callback(_close_log)
        except (FileError, ThreadLimitError) as error:
            reason = str(error)
        self._print_line(printable(f"{spec.name} runs without a log: {reason}"))
        return None

    def check_logs(self, specs: Iterable[ProcessSpec]) -> None:
        """Create the logs. Raises FileError if a log cannot be written."""
        for spec in specs:
            os.close(_open_log_file(self.log_of(spec)))

    def log_of(self, spec: ProcessSpec) -> Path:
        """Return the path of the log of a process."""
        return self._logs / f"{spec.name}.log"

    async def stop(self, redis: ProcessSpec | None) -> None:
        """Stop all within a limited time: first the services, then Redis, so that a worker can release its leases."""
        self._stopping.set()
        services = [process for name, process in self._running.items() if redis is None or name != redis.name]
        await _end(services, _STOP_SERVICES_S)
        await _end([self._running[redis.name]] if redis and redis.name in self._running else [], _STOP_REDIS_S)
        await asyncio.gather(*self._tasks)
        if self._watchdog is not None:
            await self._watchdog.communicate(b"done")
            os.close(self._alive_fd)


def _open_log_file(path: Path) -> int:
    """Return a descriptor of a log. Raises FileError."""
    with open_output(path, append=True) as log:
        try:
            return os.dup(log.fileno())
        except OSError as error:
            raise FileError(path, f"it cannot be opened: {error.strerror}") from error


def _close_log(opening: asyncio.Future[int]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result())


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    # Children import from the same places as this process, which may run from a venv, a PEX or the repository.
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **settings}


async def _end(processes: list[Process], within_s: float) -> None:
    waits = [asyncio.create_task(process.wait()) for process in processes]
    for process in processes:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
    if waits:
        await asyncio.wait(waits, timeout=within_s)
    for process in processes:
        if process.returncode is None:
            process.kill()
    await asyncio.gather(*waits)


def _describe_exit(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
