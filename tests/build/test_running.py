"""`./pants run`: what the documentation says that can be run, is found, and teaches how to use it."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from build.checkout import copy_repository, run_pants
from fixtures.waiting import until

_TOLD = re.compile(r"\./pants run ([\w/:.-]+)")
PROGRAMS = sorted({each for page in Path("docs").glob("*.md") for each in _TOLD.findall(page.read_text())})


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy with a daemon of its own, which is ended afterwards."""
    copy = copy_repository(tmp_path_factory.mktemp("running"))
    yield copy
    (daemon,) = (int(path.read_text()) for path in copy.glob(".pids/*/pantsd/pid"))
    os.kill(daemon, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{daemon}").exists(), "the end of the daemon")
    shutil.rmtree(copy, ignore_errors=True)


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_runs_and_tells_its_options(repository: Path, program: str) -> None:
    ran = run_pants(repository, "run", program, "--", "--help", PANTS_PANTSD="true", PANTS_CONCURRENT="false")
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert re.search("^usage:", ran.stdout, re.I | re.M)


def test_there_are_some() -> None:
    assert {"services/standalone", "tests/bench", "tests/load", "tests/soak"} <= set(PROGRAMS)
