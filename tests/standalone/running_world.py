"""A running world of standalone, for tests."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from fixtures.processes import environment, free_base

_WITHIN_S = 60.0


class Standalone:
    """A running `python -m sector.standalone`, and its output."""

    def __init__(self, log: Path, *arguments: str, **settings: str) -> None:
        self.base = free_base()
        self.api = f"http://127.0.0.1:{self.base}"
        self.log = log
        self._groups: set[str] = set()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sector.standalone", "--port-base", str(self.base), *arguments],
                env=environment(MARK=f"world-{self.base}", **settings),
                stdout=output,
                stderr=output,
            )

    def says(self, text: str, *, times: int = 1) -> str:
        """Wait until `text` was printed this number of times; returns the output."""
        return self._wait(lambda: self.log.read_text().count(text) >= times, f"{text!r}")

    def shows(self, pattern: str) -> None:
        """Wait until the output matches a pattern."""
        self._wait(lambda: re.search(pattern, self.log.read_text()) is not None, pattern)

    @property
    def headers(self) -> dict[str, str]:
        """The header with the printed token."""
        token_line = re.search(r"export TOKEN=(\S+)", self.log.read_text())
        assert token_line is not None
        return {"Authorization": f"Bearer {token_line[1]}"}

    def ends(self) -> int:
        """Wait for the end; returns the exit code."""
        return self.process.wait(timeout=_WITHIN_S)

    def tick(self) -> int:
        """Return the tick in the API."""
        return int(httpx.get(f"{self.api}/snapshot", timeout=60).json()["tick"])

    def reaches(self, tick: int) -> None:
        """Wait until the world has reached `tick`."""
        self._wait(lambda: self.tick() >= tick, f"tick {tick}")

    def children(self) -> dict[int, str]:
        """Return the command lines of its child processes, by process id.

        A child has the mark of the world in its environment, or is in the process group of one that has it: Valkey overwrites its own.
        """
        if not Path("/proc").is_dir():
            pytest.skip("needs /proc, to see what is left")
        command_lines = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) not in (os.getpid(), self.process.pid):
                try:
                    marked = b"MARK=world-%d\0" % self.base in (entry / "environ").read_bytes()
                    state, _, group, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
                    command = (entry / "cmdline").read_text().replace("\0", " ")
                except OSError:
                    continue
                if marked and int(group) != os.getpgrp():
                    self._groups.add(group)
                if state != "Z" and group in self._groups:
                    command_lines[int(entry.name)] = command
        return command_lines

    def runs(self, module: str) -> None:
        """Wait until it runs a process with `module` in its command line."""
        self._wait(lambda: any(module in command for command in self.children().values()), f"running {module}")

    def nothing_is_left(self) -> None:
        """Wait until none of its processes runs, and its ports are free."""
        self._wait(lambda: not self.children(), "gone", alive=False)
        for port in (self.base, self.base + 1000):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))

    def _wait(self, so: Callable[[], bool], what: str, *, alive: bool = True) -> str:
        deadline = time.monotonic() + _WITHIN_S
        while not so():
            if time.monotonic() > deadline or (alive and self.process.poll() is not None and not so()):
                raise AssertionError(f"not {what}; it said:\n{self.log.read_text()}")
            time.sleep(0.1)
        return self.log.read_text()


type Start = Callable[..., Standalone]
"""Starts a world with options and settings."""


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[Start]:
    """Starts worlds, and ends the remaining ones after the test."""
    started: list[Standalone] = []

    def start(*arguments: str, **settings: str) -> Standalone:
        started.append(
            Standalone(
                tmp_path / f"standalone-{len(started)}.log",
                "--tick-delay=0.1",
                "--status-interval=0.2",
                *arguments,
                **settings,
            )
        )
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGTERM)
            each.ends()
