"""The supervisor: starts processes, starts them again when they die, and stops them all."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from sector.models.printable import printable
from sector.models.regular_file import FileError, open_output
from sector.process import backoff, wait_for_stop
from sector.process.settings import EXIT_WRONG_SETTING
from sector.standalone.plan import Spec

_STOP_SERVICES_S = 6.0
_STOP_REDIS_S = 5.0

type Say = Callable[[str], None]


class Supervisor:
    """Owns the processes of a world. Their output goes to one log file each in `logs`."""

    def __init__(self, logs: Path, say: Say) -> None:
        self._logs = logs
        self._say = say
        self._running: dict[str, Process] = {}
        self.deaths: Counter[str] = Counter()
        self.refusals: set[str] = set()
        """Processes that ended because of a wrong setting: to start them again does not help."""
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._reaper: Process | None = None
        self._alive_fd = -1

    async def start(self) -> None:
        """Start the reaper, without which nothing else is started. Children get the write end of its pipe."""
        gone_fd, self._alive_fd = os.pipe()
        self._reaper = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sector.standalone.reaper",
            str(gone_fd),
            stdin=PIPE,
            env=_environment({}),
            pass_fds=(gone_fd,),
            process_group=0,
        )
        os.close(gone_fd)

    def keep(self, spec: Spec) -> None:
        """Keep a process running until `stop`."""
        self._keepers.append(asyncio.create_task(self._keep(spec), name=spec.name))

    async def _keep(self, spec: Spec) -> None:
        pauses = backoff(first_s=0.2, max_s=5.0)
        while not self._stopping.is_set():
            process = await self._spawn(spec)
            if self._stopping.is_set():
                # `stop` did not see this process: it was not started yet.
                await _end([process], _STOP_SERVICES_S)
                return
            code = await process.wait()
            if self._stopping.is_set():
                return
            self.deaths[spec.name] += 1
            if code == EXIT_WRONG_SETTING:
                self.refusals.add(spec.name)
            self._say(f"{spec.name} died ({_manner(code)}); starting it again. Its log: {self.log_of(spec)}")
            await wait_for_stop(self._stopping, next(pauses))

    async def _spawn(self, spec: Spec) -> Process:
        if self._reaper is None:
            raise RuntimeError("the supervisor was not started")
        with self._open_log(spec) as log:
            process = await asyncio.create_subprocess_exec(
                *spec.command,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(spec.environment),
                pass_fds=(self._alive_fd,),
                process_group=self._reaper.pid,
            )
        self._running[spec.name] = process
        return process

    @contextmanager
    def _open_log(self, spec: Spec) -> Iterator[BinaryIO | int]:
        """Open the log of a process. Where it cannot be written any more, the process runs without one."""
        with ExitStack() as stack:
            try:
                log: BinaryIO | int = stack.enter_context(open_output(self.log_of(spec), append=True))
            except FileError as error:
                self._say(printable(f"{spec.name} runs without a log: {error}"))
                log = DEVNULL
            yield log

    def check_logs(self, specs: Iterable[Spec]) -> None:
        """Create the logs. Raises FileError for one that cannot be written."""
        for spec in specs:
            with open_output(self.log_of(spec), append=True):
                pass

    def log_of(self, spec: Spec) -> Path:
        """Return where the output of a process goes."""
        return self._logs / f"{spec.name}.log"

    async def stop(self, redis: Spec | None) -> None:
        """Stop all: the services together, then Redis, so that a worker can still give its lease back. Bounded in time."""
        self._stopping.set()
        services = [process for name, process in self._running.items() if redis is None or name != redis.name]
        await _end(services, _STOP_SERVICES_S)
        await _end([self._running[redis.name]] if redis and redis.name in self._running else [], _STOP_REDIS_S)
        await asyncio.gather(*self._keepers)
        if self._reaper is not None:
            await self._reaper.communicate(b"done")
            os.close(self._alive_fd)


def _environment(told: Mapping[str, str]) -> dict[str, str]:
    # Children find what we import, however we were started: from a venv, a PEX or the repository.
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **told}


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


def _manner(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
