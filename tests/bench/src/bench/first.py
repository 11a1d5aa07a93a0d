"""The first start: `./pants run services/standalone` from a fresh clone with empty caches, against pip installing the same distributions.

Pants, pip and uv start with empty caches. The Pythons of the machine are installed, as on the machine of a new user.
"""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figure import Figure, MeasurementError
from bench.timing import ratios

READY = "Sector is running."
LOCK = "3rdparty/python/requirements.lock"
_MAX_ROUNDS = 3
_COLD_LIMIT_S = 60.0
_WARM_LIMIT_S = 5.0
_TIMEOUT_S = 600.0
_PORT_BASE = 21000
# Variables that the environment of a new user does not have.
_SETTINGS = ("PANTS", "PEX", "PYTHON", "UV_", "PIP_CACHE", "XDG_", "SECTOR_")


class StartError(MeasurementError):
    """A command failed, or was not ready in time, so there is no measurement."""


def figures(rounds: int) -> Iterator[Figure]:
    """Measure the suite at most three times. A round is a cold start, pip, and two warm starts. Raises StartError."""
    if not Path(".git").exists():
        print("first: this is not a checkout, so its first start is not measured", file=sys.stderr)
        return
    cold: list[float] = []
    pip: list[float] = []
    warm: list[float] = []
    bare: list[float] = []
    for _ in range(min(rounds, _MAX_ROUNDS)):
        with tempfile.TemporaryDirectory(prefix="bench-first-", ignore_cleanup_errors=True) as directory:
            clone, home = Path(directory, "clone"), Path(directory, "home")
            home.mkdir()
            subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
            environment = new_user(home)
            world = ["./pants", "run", "services/standalone", "--", f"--port-base={_PORT_BASE}"]
            try:
                cold.append(time_until_ready(world, clone, environment))
                python = which_python(clone, environment)
                pip.append(time_pip(python, Path(directory, "venv"), clone / LOCK, environment))
                # The first warm start compiles the modules that the cold one did not import.
                time_until_ready(world, clone, environment)
                warm.append(time_until_ready(world, clone, environment))
                bare.append(time_without_pants(Path(directory, "venv"), clone, environment))
            finally:
                end_daemons(clone)
    shown = {name: f"{statistics.median(times):.1f} s" for name, times in (("cold", cold), ("warm", warm))}
    theirs = f"{statistics.median(pip):.1f} s, venv and pip install"
    yield Figure("first: cold start until all is ready", shown["cold"], theirs, *ratios(cold, pip), goal=2.5)
    yield _within("first: cold start, against its limit", shown["cold"], cold, _COLD_LIMIT_S)
    without = f"{statistics.median(bare):.1f} s, python -m sector.standalone"
    yield Figure("first: warm start until all is ready", shown["warm"], without, *ratios(warm, bare))
    yield _within("first: warm start, against its limit", shown["warm"], warm, _WARM_LIMIT_S)


def _within(what: str, shown: str, times: Sequence[float], limit_s: float) -> Figure:
    return Figure(what, shown, f"{limit_s:.0f} s, the limit", *ratios(list(times), [limit_s] * len(times)), goal=1)


def new_user(home: Path) -> dict[str, str]:
    """Return this environment with another home, without the caches and settings of this user."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    return {**inherited, "HOME": str(home), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def time_until_ready(command: Sequence[str], directory: Path, environment: dict[str, str]) -> float:
    """Start a world, and stop it once it is ready; returns the seconds until then. Raises StartError."""
    start = time.monotonic()
    world = subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    if world.stdout is None:
        raise StartError("no output to read")
    lines: list[str] = []
    taken_s = 0.0
    limit = threading.Timer(_TIMEOUT_S, os.killpg, (world.pid, signal.SIGKILL))
    limit.start()
    with world.stdout:
        for line in world.stdout:
            lines.append(line)
            if READY in line:
                taken_s = time.monotonic() - start
                # Signal the process group like Ctrl-C: Pants and its children.
                os.killpg(world.pid, signal.SIGINT)
    world.wait()
    limit.cancel()
    if not taken_s:
        raise StartError(f"{' '.join(command)} did not become ready: {''.join(lines[-20:])}")
    return taken_s


def which_python(clone: Path, environment: dict[str, str]) -> str:
    """Return the Python that the launcher uses."""
    command = ["./pants", "--which-python", "3.13"]
    return subprocess.run(
        command, cwd=clone, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def time_pip(python: str, directory: Path, lock: Path, environment: dict[str, str]) -> float:
    """Install a lock into a new virtual environment with an empty cache; returns the seconds it took. Raises StartError."""
    start = time.monotonic()
    for command in (
        [python, "-m", "venv", str(directory)],
        [str(directory / "bin/pip"), "install", "--quiet", "--require-hashes", "-r", str(lock)],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StartError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    return time.monotonic() - start


def time_without_pants(directory: Path, clone: Path, environment: dict[str, str]) -> float:
    """Return the seconds until the world of the clone's sources is ready, run by the Python of a virtual environment."""
    sources = [*clone.glob("packages/*/src"), *clone.glob("services/*/src")]
    with_sources = {**environment, "PYTHONPATH": os.pathsep.join(str(path) for path in sources)}
    command = [str(directory / "bin/python"), "-m", "sector.standalone", f"--port-base={_PORT_BASE}"]
    time_until_ready(command, clone, with_sources)
    return time_until_ready(command, clone, with_sources)


def end_daemons(clone: Path) -> None:
    """End the daemon that Pants started for the clone. Otherwise it would end only when the clone is missing."""
    for path in clone.glob(".pids/*/pantsd/pid"):
        try:
            os.kill(int(path.read_text()), signal.SIGTERM)
        except ProcessLookupError:
            print("first: Pants' daemon had ended", file=sys.stderr)
    shutil.rmtree(clone, ignore_errors=True)
