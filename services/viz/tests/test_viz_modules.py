"""The modules of the page: Node.js runs their unit tests on golden files, which Python encodes."""

import json
import subprocess
from pathlib import Path

import pytest
from page_golden import FOLDER, comparable, golden_files

from fixtures.requires import require_program, require_success

_TESTS = FOLDER.parent
_HINT = "install Node.js 20.12 or newer (apt-get install nodejs)"


def test_the_golden_files_are_up_to_date() -> None:
    expected = golden_files()
    actual = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    hint = "./pants run services/viz/tests/page_golden.py writes them"
    assert sorted(actual) == sorted(expected), hint
    different = [
        name for name, content in expected.items() if comparable(name, actual[name]) != comparable(name, content)
    ]
    assert not different, hint


@pytest.mark.parametrize("kind", ["frame", "damaged", "delta", "events", "moments"])
def test_the_unit_tests_read_golden_files_of_each_kind(kind: str) -> None:
    names = [name for name in golden_files() if name.startswith(f"{kind}-") and name.endswith(".json")]
    assert len(names) >= 3
    for name in names:
        json.loads((FOLDER / name).read_bytes())
    assert any(f'goldenNames("{kind}")' in path.read_text() for path in _TESTS.glob("*.test.js"))


def test_the_unit_tests_of_the_modules_pass() -> None:
    node = require_program("node", hint=_HINT)
    # The page inflates what the viz deflates; earlier versions of Node.js cannot.
    require_success(node, "--eval", "new DecompressionStream('deflate-raw')", hint=_HINT)
    files = sorted(str(path) for path in _TESTS.glob("*.test.js"))
    assert files
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", *files], capture_output=True, text=True, timeout=120, check=False
    )
    report = f"{done.stdout}{done.stderr}"
    assert done.returncode == 0, report


def test_each_module_has_a_unit_test() -> None:
    page = Path("services/viz/src/sector/viz/page")
    imports = "".join(path.read_text() for path in _TESTS.glob("*.test.js"))
    modules = [path.relative_to(page).as_posix() for path in page.rglob("*.js") if path.parent.name != "vendor"]
    missing = [name for name in modules if f'/page/{name}"' not in imports]
    # `map-view.js` uses it, and has a test.
    assert set(missing) <= {"map/base-layer.js"}
