"""Program: the process of a player, which reads the state and writes orders, line by line, until `go`."""

import asyncio
import json
import os
import shlex
import socket
import subprocess  # nosec B404  # it starts only the guard, without a shell
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from sector.world.classic import guard
from sector.world.classic.limits import Limits, environment
from sector.world.classic.output import Output, OutputTooLong

_MAX_REPORT_BYTES = 2**16
_END_WITHIN_S = 5.0
_GUARD = (sys.executable, "-I", "-S", str(Path(guard.__file__).absolute()))
"""It is a script and not a module, because the environment of a program has no path of our modules."""


class ProgramError(OSError):
    """A program that could not be started. `command`: its command line. `reason`: why."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(f"failed to start client: {command}: {reason}")
        self.command = command
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TurnReply:
    """The reply of a program in one turn: its lines, stripped and in lower case, without `go`, and how the turn ended.

    `discarded`: the bytes that the program wrote between the `go` of its last turn and this turn.
    """

    lines: list[str]
    end: Literal["go", "crashed", "timed out"]
    discarded: int = 0


class Program:
    """A running program. Its stderr is discarded, as in the contest."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        control: socket.socket,
        stdin: asyncio.WriteTransport,
        output: Output,
    ) -> None:
        self._guard = process
        self._control = control
        self._stdin = stdin
        self._output = output
        self._has_answered = False

    @classmethod
    async def start(cls, command: str, limits: Limits = Limits()) -> Self:  # noqa: B008  (it is immutable)
        """Start a program with a clean environment and without inherited descriptors. Raises ProgramError."""
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise ProgramError(command, str(error)) from error
        if not words:
            raise ProgramError(command, "it is empty")
        control, theirs = socket.socketpair()
        control.setblocking(False)
        try:
            with theirs:
                process = _start_guard(theirs, limits, words)
            stdin, output = process.stdin, process.stdout
            if stdin is None or output is None:
                raise ProgramError(command, "it has no pipes")
        except (OSError, ValueError) as error:
            control.close()
            raise ProgramError(command, str(error)) from error
        writer, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.BaseProtocol, stdin)
        program = cls(process, control, writer, Output(os.dup(output.fileno())))
        output.close()
        try:
            reason = await program.start_error()
        except asyncio.CancelledError:
            await program.stop()
            raise
        if reason is not None:
            await program.stop()
            raise ProgramError(command, reason)
        return program

    async def start_error(self) -> str | None:
        """Wait for the report of the guard. Return why the program did not start, or None."""
        report = await asyncio.get_running_loop().sock_recv(self._control, _MAX_REPORT_BYTES)
        if not report:
            return "its guard ended"
        error: str | None = json.loads(report)["error"]
        return error

    async def turn(self, state_text: str, turn_ms: int) -> TurnReply:
        """Send the state and return the reply, within `turn_ms` milliseconds.

        Output after the `go` of the last turn is discarded first. A program that writes without a pause for the whole
        time has timed out.
        """
        lines: list[str] = []
        discarded = 0
        try:
            if self._has_answered:
                async with asyncio.timeout(turn_ms / 1000):
                    discarded = await self._output.discard()
            async with asyncio.timeout(turn_ms / 1000):
                return TurnReply(lines, await self._exchange(state_text, lines), discarded)
        except TimeoutError:
            return TurnReply(lines, "timed out", discarded)

    async def _exchange(self, state_text: str, lines: list[str]) -> Literal["go", "crashed"]:
        if self._stdin.is_closing():
            return "crashed"
        self._stdin.write(state_text.encode())
        try:
            while (line := await self._output.line()) is not None:
                answer = line.decode("utf-8", "replace").strip().lower()
                if answer == "go":
                    self._has_answered = True
                    return "go"
                lines.append(answer)
        except OutputTooLong:
            return "crashed"
        return "crashed"

    async def stop(self) -> None:
        """Kill the program and all its descendants, even those whose parent has exited, and wait for their end."""
        if self._guard.returncode is not None:
            return
        # The guard kills at the end of the socket, and exits after all others.
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_END_WITHIN_S):
                while await asyncio.get_running_loop().sock_recv(self._control, _MAX_REPORT_BYTES):
                    pass
        self._guard.kill()
        await asyncio.to_thread(self._guard.wait)
        self._control.close()
        if not self._stdin.is_closing():
            self._stdin.abort()
        self._output.close()


def _start_guard(control: socket.socket, limits: Limits, words: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start the guard of a program with pipes for the input and the output of the program."""
    command = [*_GUARD, str(control.fileno()), json.dumps(limits.resources()), *words]
    return subprocess.Popen(  # nosec B603
        command,  # noqa: S603
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        pass_fds=(control.fileno(),),
        start_new_session=True,
    )
