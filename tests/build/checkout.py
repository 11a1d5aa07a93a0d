"""A copy of the repository that a test may change, and Pants in it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from fixtures.waiting import wait_until

NAMES = (
    ".ci",
    ".github",
    "pants",
    "pants.toml",
    "BUILD",
    "LICENSE",
    "compose.yaml",
    "macros.prelude",
    "3rdparty",
    "docker",
    "docs",
    "examples",
    "k8s",
    "packages",
    "services",
    "tests",
)


def copy_repository(directory: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Return a copy below `directory` of these files and folders, as far as the test depends on them."""
    copy = directory / "repository"
    for name in names:
        source = Path.cwd() / name
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy / name)
        else:
            shutil.copy2(source, copy / name)
    return copy


def run_pants(repository: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `./pants` in the copy without a daemon, so that no process stays."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PANTS", "PEX", "PYTHON"))}
    return subprocess.run(
        ["./pants", *arguments],
        cwd=repository,
        env={**own, "PANTS_PANTSD": "false", "PANTS_CONCURRENT": "true", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def ask_daemon(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `./pants` in the copy with a daemon, which `end_daemon` ends: the next run starts sooner."""
    return run_pants(repository, *arguments, PANTS_PANTSD="true", PANTS_CONCURRENT="false")


def end_daemon(repository: Path) -> None:
    """End the daemon of the copy."""
    daemons = [int(path.read_text()) for path in repository.glob(".pids/*/pantsd/pid")]
    for daemon in daemons:
        os.kill(daemon, signal.SIGTERM)
    wait_until(lambda: not any(Path(f"/proc/{daemon}").exists() for daemon in daemons), "the end of the daemon")


def git(repository: Path, *arguments: str) -> None:
    """Run git in the copy."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    subprocess.run(["git", "-C", str(repository), *identity, *arguments], check=True, capture_output=True)
