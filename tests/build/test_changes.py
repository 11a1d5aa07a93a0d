"""`--changed-since`: the targets of a change, and their dependents."""

from pathlib import Path

import pytest

from build.checkout import ask_daemon
from fixtures.long import LONG

pytestmark = pytest.mark.skipif(not LONG, reason="takes Pants 40 s: run with SECTOR_LONG=1, as .ci/run does")

WORLD = "packages/world/src/sector/world/tick.py"
STATE = "packages/state/src/sector/state/tick/transaction.py"
RETRY = "packages/process/src/sector/process/retry.py"


def dependents(repository: Path, changed: str) -> list[str]:
    """Return the addresses that depend on a changed line in a file."""
    with (repository / changed).open("a") as source:
        source.write("# changed\n")
    listed = ask_daemon(repository, "--changed-since=HEAD", "--changed-dependents=transitive", "list")
    assert listed.returncode == 0, listed.stderr
    return listed.stdout.splitlines()


def folders_of_tests(addresses: list[str]) -> set[str]:
    """Return the folders of the tests among these addresses."""
    return {address.partition("/test_")[0] for address in addresses if "/test_" in address}


def test_dependents_of_a_change_include_its_tests(repository: Path) -> None:
    tests_of_retry = dependents(repository, RETRY)
    assert any(address.startswith(RETRY) for address in tests_of_retry)
    assert any(address.startswith("services/worker/tests/") for address in tests_of_retry)
    assert not any(address.startswith("packages/world/") for address in tests_of_retry)


@pytest.mark.parametrize("changed", [WORLD, STATE])
def test_a_change_reruns_only_tests_that_depend_on_it(repository: Path, changed: str) -> None:
    others = {f"packages/{name}/tests" for name in ("client", "models", "process", "tracing")}
    test_folders = folders_of_tests(dependents(repository, changed))
    assert f"{changed.partition('/src/')[0]}/tests" in test_folders
    assert "services/worker/tests" in test_folders
    assert not test_folders & others


def test_a_change_of_state_tests_does_not_rerun_world_tests(repository: Path) -> None:
    test_folders = folders_of_tests(dependents(repository, "tests/fixtures/redis_fixtures.py"))
    assert "packages/state/tests" in test_folders
    assert "packages/world/tests" not in test_folders
