"""Starts the sample process, forked like the services in other tests."""

from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from fixtures.fork_server import Forked
from fixtures.processes import environment, start_module


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample process and the file with its output."""

    process: Forked | Popen[bytes]
    log: Path

    def wait(self) -> str:
        """Wait for its end and return its output."""
        self.process.wait(timeout=60)
        return self.log.read_text()

    def kill(self) -> None:
        """Kill it if it is running."""
        self.process.kill()
        self.process.wait(timeout=60)


def start_sample(log: Path, port: int, **settings: str) -> Sample:
    """Start a process that listens at `port` and writes to `log`."""
    return Sample(start_module("sample_process", environment(SAMPLE_PORT=str(port), **settings), log), log)
