"""A copy of the repository that a test may spoil, and Pants run on it."""

import os
import shutil
import subprocess
from pathlib import Path

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
    "k8s",
    "packages",
    "services",
    "tests",
)


def copy_repository(directory: Path) -> Path:
    """Return a copy below `directory` of what this test was given of the repository."""
    copy = directory / "repository"
    copy.mkdir()
    for name in NAMES:
        source = Path.cwd() / name
        if source.is_dir():
            shutil.copytree(source, copy / name)
        else:
            shutil.copy2(source, copy / name)
    return copy


def run_pants(repository: Path, *arguments: str, **told: str) -> subprocess.CompletedProcess[str]:
    """Run `./pants` there, without its daemon, so that nothing is left running."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PANTS", "PEX", "PYTHON"))}
    return subprocess.run(
        ["./pants", *arguments],
        cwd=repository,
        env={**kept, "PANTS_PANTSD": "false", "PANTS_CONCURRENT": "true", **told},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
