"""One copy of the repository for all tests that only read it, or whose changes can be reverted."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from build.checkout import copy_repository, end_daemon, git
from fixtures.requires import require_program


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the repository in one commit. Pants has its own daemon in it."""
    require_program("git", hint="apt-get install git")
    copy = copy_repository(tmp_path_factory.mktemp("committed"))
    git(copy, "init", "-q")
    (copy / ".git/info/exclude").write_text(".pants.d\n.pids\n")
    git(copy, "add", "-A")
    git(copy, "commit", "-q", "-m", "all")
    yield copy
    end_daemon(copy)
    shutil.rmtree(copy, ignore_errors=True)


@pytest.fixture
def repository(committed: Path) -> Iterator[Path]:
    """The copy. Changes of a test are reverted after it."""
    yield committed
    git(committed, "reset", "-q", "--hard")
    git(committed, "clean", "-fdq")
