"""`.ci/names.py`: the number of banned names and of shared class names never rises."""

import json
from pathlib import Path

import pytest
from names import is_banned, javascript_names, lua_names, main, manifest_names, metric_names, python_names

SHIPPED = "packages/state/src/sector/state"


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two banned names, both in its baseline."""
    write(tmp_path, f"{SHIPPED}/lease.py", "class Lease:\n    def renew(self, told): ...\n")
    write(tmp_path, f"{SHIPPED}/sims.py", "found = 1\n")
    write(tmp_path, ".ci/names.json", json.dumps({"found": 1, "told": 1}))
    return tmp_path


def test_names_of_the_baseline_pass(checkout: Path) -> None:
    assert main([], checkout) == 0


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"{SHIPPED}/new.py", "told: int = 1\n"),
        (f"{SHIPPED}/new.py", "def load():\n    for seen in (): ...\n"),
        (f"{SHIPPED}/new.py", "class Kept: ...\n"),
        (f"{SHIPPED}/new.py", "most_waiting = 1\n"),
        (f"{SHIPPED}/taken.py", ""),
        (f"{SHIPPED}/new.py", "class Lease: ...\n"),
        ("services/api/tests/test_new.py", "with open('x') as written: ...\n"),
        ("services/viz/src/sector/viz/page/new.js", "const heard = 1;\n"),
        ("services/viz/src/sector/viz/page/made.js", "\n"),
        (f"{SHIPPED}/new.py", 'HELD = Gauge("sector_sims_served", "Sims.")\n'),
        (f"{SHIPPED}/new.lua", "local said = redis.call('GET', KEYS[1])\n"),
        ("k8s/base/network.yaml", "metadata:\n  name: nobody\n"),
        ("docker/compose.yaml", "services:\n  kept:\n    image: redis\n"),
    ],
)
def test_a_new_banned_name_is_reported_with_its_place(
    checkout: Path, path: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(checkout, path, text)
    assert main([], checkout) == 1
    assert f"{path}:" in capsys.readouterr().err


def test_write_lowers_the_baseline_and_never_raises_it(checkout: Path) -> None:
    write(checkout, f"{SHIPPED}/sims.py", "sim = 1\n")
    write(checkout, f"{SHIPPED}/new.py", "told = heard = 1\n")
    assert main(["--write"], checkout) == 1
    assert json.loads((checkout / ".ci/names.json").read_text()) == {"told": 1}


def test_an_empty_baseline_allows_no_banned_name(checkout: Path) -> None:
    write(checkout, ".ci/names.json", "{}")
    assert main([], checkout) == 1


def test_the_code_of_others_is_not_read(checkout: Path) -> None:
    write(checkout, "services/viz/src/sector/viz/page/vendor/chart.js", "const told = 1;\n")
    assert main([], checkout) == 0


@pytest.mark.parametrize("name", ["told", "_TOLD", "Told", "__found", "MOST_SPECTATORS", "mostBehind", "go_anew"])
def test_case_and_underscores_are_ignored(name: str) -> None:
    assert is_banned(name)


@pytest.mark.parametrize("name", ["founder", "told_by", "almost_full", "foundation", "test_what_is_told_at_once"])
def test_a_name_that_contains_a_banned_one_is_allowed(name: str) -> None:
    assert not is_banned(name)


def test_every_kind_of_definition_counts() -> None:
    source = "class A:\n    b = 1\ndef c(d, *e, f=1): g = h = 2\nasync def i(): self.j = 3\nimport k\n"
    assert sorted(name.lower() for name, _, _ in python_names(source)) == list("abcdefghij")
    script = "export const a = 1;\nfunction b() {}\nclass C {}\nlet d;\n"
    assert list(javascript_names(script)) == [("a", 1), ("b", 2), ("C", 3), ("d", 4)]
    assert list(metric_names('A = Counter("sector_a", "A.", ["b"])\nb("sector_c", 1)\n')) == [("sector_a", 1)]
    lua = "local a, b = 1, 2\nlocal function c() end\nfor d = 1, 2 do end\nfor e, f in pairs(x) do end\n"
    assert list(lua_names(lua)) == [("a", 1), ("b", 1), ("c", 2), ("d", 3), ("e", 4), ("f", 4)]
    manifest = "metadata:\n  name: worker\n  labels: {app.kubernetes.io/name: api}\n"
    assert [name for name, _ in manifest_names(manifest)] == ["metadata", "worker", "labels", "api"]
