"""Contributor files: workflows call .ci/run, text files keep LF, and the documented commands exist."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOW: dict[str, Any] = yaml.safe_load(Path(".github/workflows/check.yml").read_text())
FORMS = sorted(Path(".github/ISSUE_TEMPLATE").glob("*.yml"))


def commands_of(job: str) -> list[str]:
    """Return what a job of the workflow runs."""
    return [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]


def test_a_pull_request_is_checked_within_ten_minutes() -> None:
    assert WORKFLOW["jobs"]["pull-request"]["timeout-minutes"] <= 10
    assert commands_of("pull-request") == [".ci/run --quick"]


def test_the_main_branch_is_checked_completely() -> None:
    assert commands_of("complete")[-1].endswith(" .ci/run")


def test_a_workflow_has_no_right_to_write() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_ci_rejects_an_unknown_option() -> None:
    ended = subprocess.run([".ci/run", "--fast"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "usage: .ci/run [--quick]\n")


@pytest.mark.parametrize("form", [form for form in FORMS if form.stem != "config"], ids=lambda form: form.stem)
def test_an_issue_form_has_what_github_requires(form: Path) -> None:
    content = yaml.safe_load(form.read_text())
    assert {"name", "description", "body"} <= content.keys()
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert all(field["id"] and field["attributes"]["label"] for field in fields)


@pytest.mark.parametrize(
    "path", ["pants", ".ci/run", "docker/users.acl", "docker/redis.conf", "docker/backup.sh", "a/b.lua", "a/Dockerfile"]
)
def test_scripts_and_configuration_keep_lf_on_windows(path: str, tmp_path: Path) -> None:
    shutil.copy(".gitattributes", tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    command = ["git", "-C", str(tmp_path), "check-attr", "eol", "--", path]
    assert subprocess.check_output(command, text=True) == f"{path}: eol: lf\n"


def test_documented_programs_exist() -> None:
    programs = set(re.findall(r"(?<![\w/])(\.ci/[\w.-]+|\./pants)\b", Path("CONTRIBUTING.md").read_text()))
    assert {"./pants", ".ci/run"} <= programs
    assert [program for program in programs if not Path(program).exists()] == []
