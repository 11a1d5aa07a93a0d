"""The package as `npm pack` makes it, and how its tests run commands."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path("packages/typescript-client")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the package, with what builds it, and the file that `npm pack` made of it."""

    folder: Path
    packed: Path


def run(*command: str, cwd: Path, **environment: str) -> str:
    """Run a command, and return what it printed. Fails the test, with what it printed, if the command fails."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout
