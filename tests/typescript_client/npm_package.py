"""The output of `npm pack`, and how its tests run commands."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path("packages/typescript-client")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the package with its build files, and the file that `npm pack` created."""

    folder: Path
    packed: Path


def run(*command: str, cwd: Path, **environment: str) -> str:
    """Run a command and return its output. If the command fails, the test fails with the output."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout
