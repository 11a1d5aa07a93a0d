"""A player's program: a process that is told the state and answers with orders, line by line, until `go`."""

import asyncio
import os
import shlex
import signal
import subprocess  # nosec B404  # for the error that it raises
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self

from sector.world.classic.limits import Limits, environment

_LONGEST_LINE = 2**16
_END_WITHIN_S = 1.0


class ProgramError(OSError):
    """A program that could not be started. `command` is the one, `reason` why."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(f"failed to start client: {command}: {reason}")
        self.command = command
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """The lines of a turn, lower case and stripped, without `go`; and how it ended."""

    lines: list[str]
    end: Literal["go", "crashed", "timed out"]


class Program:
    """A running program. What it writes to stderr is lost, as in the contest."""

    def __init__(
        self, process: asyncio.subprocess.Process, stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader
    ) -> None:
        self._process = process
        self._stdin = stdin
        self._stdout = stdout

    @classmethod
    async def start(cls, command: str, limits: Limits = Limits()) -> Self:  # noqa: B008  (it cannot be changed)
        """Start a program, with a clean environment and none of our descriptors. Raises ProgramError."""
        try:
            words = shlex.split(command)
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_LONGEST_LINE,
                env=environment(),
                # Between fork and exec, so that nothing it starts is without limits; it only calls setrlimit.
                preexec_fn=limits.apply,
                start_new_session=True,
            )
        except (OSError, ValueError, TypeError, subprocess.SubprocessError) as error:
            raise ProgramError(command, str(error)) from error
        if process.stdin is None or process.stdout is None:
            raise ProgramError(command, "it has no pipes")
        return cls(process, process.stdin, process.stdout)

    async def turn(self, told: str, turn_ms: int) -> Answer:
        """Tell the state, and return what is answered within `turn_ms`."""
        lines: list[str] = []
        try:
            async with asyncio.timeout(turn_ms / 1000):
                return Answer(lines, await self._exchange(told, lines))
        except TimeoutError:
            return Answer(lines, "timed out")

    async def _exchange(self, told: str, lines: list[str]) -> Literal["go", "crashed"]:
        try:
            self._stdin.write(told.encode())
            await self._stdin.drain()
            while line := await self._stdout.readline():
                answer = line.decode("utf-8", "replace").strip().lower()
                if answer == "go":
                    return "go"
                lines.append(answer)
        except (ConnectionError, ValueError):  # its end of a pipe is closed; a line is longer than the limit
            return "crashed"
        return "crashed"

    async def stop(self) -> None:
        """End the program, and whatever it started in its session, if it ended before them too."""
        with suppress(ProcessLookupError):  # none is left
            os.killpg(self._process.pid, signal.SIGKILL)
        # asyncio waits for the end of the output as well, and stops reading where no one takes it.
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_WITHIN_S):
                while await self._stdout.read(_LONGEST_LINE):
                    pass
        # What left the session may hold the output open.
        self._process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001  (asyncio has no other way)
        await self._process.wait()
