"""`./pants run`: what the documentation says that can be run, is found, and teaches how to use it."""

import json
import re
from pathlib import Path

import pytest

from build.checkout import ask_daemon
from fixtures.long import LONG

_COMMAND = re.compile(r"\./pants run ([\w/:.-]+)")
_RUNNABLE = {"docker_image", "pex_binary", "python_source", "python_test"}
PROGRAMS = sorted({each for page in Path("docs").rglob("*.md") for each in _COMMAND.findall(page.read_text())})


# Each takes some ten seconds to package; before a change lands, all are run.
@pytest.mark.parametrize("program", PROGRAMS if LONG else ["services/standalone"])
def test_every_program_prints_its_help(repository: Path, program: str) -> None:
    ran = ask_daemon(repository, "run", program, "--", "--help")
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert re.search("^usage:", ran.stdout, re.I | re.M)


def test_programs_are_discovered() -> None:
    assert {"services/standalone", "tests/bench", "tests/load", "tests/soak"} <= set(PROGRAMS)


def test_each_folder_has_one_program(repository: Path) -> None:
    """`run` refuses a folder in which several can be run."""
    folders = [program for program in PROGRAMS if ":" not in program]
    peeked = ask_daemon(repository, "peek", *(f"{folder}:" for folder in folders))
    assert peeked.returncode == 0, peeked.stderr
    runnable = [target["address"] for target in json.loads(peeked.stdout) if target["target_type"] in _RUNNABLE]
    assert sorted(re.split("/test_|:", address)[0] for address in runnable) == folders
