"""The build time after a change: Pants on a clone of this checkout, compared with `pants --version`."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure, MeasurementError
from bench.timing import ratios

_CHANGED = "packages/models/src/sector/models/field_types.py"
_GOALS: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("the tests of a package, nothing changed", ("test", "packages/models::"), False),
    ("the tests of a package, a line changed", ("test", "packages/models::"), True),
    ("the types of all, nothing changed", ("check", "::"), False),
    ("the types of all, a line changed that all import", ("check", "::"), True),
    ("the PEX of the API, a line changed", ("package", "services/api:api"), True),
)


class BuildError(MeasurementError):
    """A goal of Pants failed, so there is no measurement."""


def figures(rounds: int) -> Iterator[Figure]:
    """Measure the suite in a clone of the current commit, with the caches of Pants on this machine."""
    if not Path(".git").exists():
        print("build: this is no checkout, so what a change costs is not measured", file=sys.stderr)
        return
    # The daemon of Pants ends when its folder is missing, and may write to the folder until then.
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
        for what, goal, changes in _GOALS:
            yield _measured(clone, what, goal, rounds, changes=changes)


def _measured(clone: Path, what: str, goal: tuple[str, ...], rounds: int, *, changes: bool) -> Figure:
    _pants(clone, *goal)
    ours: list[float] = []
    bare: list[float] = []
    for number in range(rounds):
        if changes:
            with (clone / _CHANGED).open("a") as file:
                file.write(f"\n# {time.time_ns()}-{number}\n")
        ours.append(_pants(clone, *goal))
        bare.append(_pants(clone, "--version"))
    shown = [f"{statistics.median(each):.2f} s" for each in (ours, bare)]
    return Figure(f"build: {what}", shown[0], f"{shown[1]}, ./pants --version", *ratios(ours, bare))


def _pants(clone: Path, *arguments: str) -> float:
    """Run a goal; returns the seconds it took. Raises BuildError."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PANTS", "PEX", "PYTHON"))}
    start = time.perf_counter()
    done = subprocess.run(
        ["./pants", *arguments],
        cwd=clone,
        env=inherited,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"./pants {' '.join(arguments)} failed: {done.stderr[-2000:]}")
    return time.perf_counter() - start
