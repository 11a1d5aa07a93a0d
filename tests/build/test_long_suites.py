"""`./pants test ::` omits the long suites. `SECTOR_LONG=1` runs them, and so does their address."""

import os
from pathlib import Path

import pytest

from build.checkout import copy_repository, run_pants


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The launcher and its files."""
    return copy_repository(tmp_path, ("pants", "pants.toml", "3rdparty/python"))


@pytest.fixture
def path(tmp_path: Path, repository: Path) -> str:
    """A PATH with a program `pants` of the right version, which prints the tag filter."""
    version = (repository / "pants.toml").read_text().partition('pants_version = "')[2].partition('"')[0]
    program = tmp_path / "bin" / "pants"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo {version} || echo "tags: $PANTS_TAG"\n')
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("arguments", "long", "tags"),
    [
        ("test ::", "", "+['-long']"),
        ("--no-pantsd test :: -- -k lease", "", "+['-long']"),
        ("lint test ::", "", "+['-long']"),
        ("test packages/:: services/::", "", "+['-long']"),
        ("test packages/world::", "", ""),
        ("test :: tests/hostile::", "", ""),
        ("test ::", "1", ""),
        ("test tests/hostile::", "", ""),
        ("test tests/hostile:: packages/::", "", ""),
        ("lint ::", "", ""),
        ("package ::", "", ""),
    ],
)
def test_only_a_test_of_all_targets_omits_the_long_suites(
    repository: Path, path: str, arguments: str, long: str, tags: str
) -> None:
    process = run_pants(repository, *arguments.split(), PATH=path, SECTOR_LONG=long, PANTS_TAG="")
    assert (process.returncode, process.stdout) == (0, f"tags: {tags}\n")
