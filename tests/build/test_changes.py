"""`--changed-since`: what a change touches, and what depends on it."""

import subprocess
from pathlib import Path

from build.checkout import copy_repository, run_pants
from fixtures.requires import require_program


def test_a_change_in_a_part_names_it_and_the_tests_that_depend_on_it(tmp_path: Path) -> None:
    git = require_program("git", hint="apt-get install git")
    repository = copy_repository(tmp_path)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "all"]):
        subprocess.run([git, *arguments], cwd=repository, check=True)
    changed = "packages/process/src/sector/process/backoff.py"
    with (repository / changed).open("a") as source:
        source.write("# changed\n")
    listed = run_pants(repository, "--changed-since=HEAD", "--changed-dependents=transitive", "list")
    assert listed.returncode == 0, listed.stderr
    found = listed.stdout.splitlines()
    assert any(address.startswith(changed) for address in found)
    assert any(address.startswith("services/worker/tests/") for address in found)
    assert not any(address.startswith("packages/world/") for address in found)
