"""A player's program: a process that is told the state and answers with orders, line by line, until `go`."""

import asyncio
import os
import shlex
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self

_LONGEST_LINE = 2**16


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
    async def start(cls, command: str) -> Self:
        """Start a program. Raises ProgramError."""
        try:
            words = shlex.split(command)
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_LONGEST_LINE,
                start_new_session=True,
            )
        except (OSError, ValueError, TypeError) as error:
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
        """End the program, and whatever it started."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):  # it ended in between
                os.killpg(self._process.pid, signal.SIGKILL)
        # asyncio waits for the end of the output as well, and stops reading where no one takes it.
        while await self._stdout.read(_LONGEST_LINE):
            pass
        await self._process.wait()
