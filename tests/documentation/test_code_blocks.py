"""Every code block runs in a test, or there is a reason why not."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from documentation.code_blocks import CodeBlock, all_code_blocks, code_blocks

BLOCKS = list(all_code_blocks())

TESTED: dict[str, str] = {
    # Programs that Pants runs, with their options; goals of Pants, with their addresses.
    r"(\w+=\S+ )?\./pants\b(?!.*\|)": "tests/build/test_running.py",
    r"(python3|node) examples/bots/first_bot\.": "tests/examples/test_first_bots.py",
    r"docker run .*\bsector\b": "tests/deployment/test_world_image.py",
    r"docker compose (up|down)": "tests/deployment/test_compose.py",
    r"\.ci/release\b": "tests/build/test_release.py",
    r"\.ci/coverage\b": "tests/build/test_coverage_report.py",
    r"(python3\.13 -m venv|\w+/bin/(pip|sector-standalone)) ?": "tests/distributions/test_distributions.py",
    r"(export )?\w+='?\$?\(?.*|order\b|field\b|curl\b|python3 neighbours\.py": "tests/documentation/test_shell_sessions.py",
    r"python check_scores\.py": "tests/documentation/test_tutorial.py",
    r"(venv/bin/)?sector-(api|state)\b|python -m sector\.": "tests/documentation/test_shell_sessions.py",
    r"sector-standalone\b|AUTH_SECRET=\$\(cat": "tests/standalone/test_restarts.py",
    r".*\bsector/bin/sector-(worker|api|viz)$": "tests/documentation/test_without_containers.py",
    r"npm\b|cd ": "tests/typescript_client/npm_package.py",
}
"""Shell commands by the test that runs them."""

NOT_RUN: dict[str, str] = {
    r"kubectl|kustomize|.*\| kubectl": "needs a Kubernetes cluster; test_kubectl_commands.py compares names with manifests",
    r"docker (tag|push|compose exec|compose stop)|for name in|done$|\(cd k8s": "needs a registry, or a running deployment",
    r"git push|TAG=": "publishes",
    r"ACL |valkey-cli": "is for a Redis of the operator",
    r"pkill": "kills every process of that name on the machine",
    r"java |python -m sector\.world\.classic maps": "needs a program of somebody else",
    r"SIM_MAP=": "a worker, which does not end: packages/world/tests and services/worker/tests create sims on maps",
    r"\./pants export|\.ci/write-env|\. \./\.env|dist/export": "installs the environment in which this test runs",
}
"""Shell commands that no test runs, and why."""

OTHERS: dict[tuple[str, str], str] = {
    ("mermaid", r".*"): "tests/documentation/test_site_in_browser.py",
    ("python", r"docs/tutorial/.*"): "tests/documentation/test_tutorial.py",
    ("js", r"docs/tutorial/.*"): "tests/documentation/test_tutorial.py",
    ("python", r"docs/guides/write-a-world\.md"): "tests/integration/test_forking.py",
    ("python", r"packages/client/.*"): "tests/examples/test_client_readme.py",
    ("js", r"packages/typescript-client/.*"): "tests/typescript_client/test_typescript_client.py",
    ("ts", r"packages/typescript-client/.*"): "tests/typescript_client/test_typescript_client.py",
    ("python", r"packages/(models|world|tracing)/.*"): "tests/documentation/test_code_blocks.py",
    ("nginx", r"docs/guides/deploy\.md"): "tests/documentation/test_without_containers.py",
    ("json", r".*"): "tests/documentation/test_code_blocks.py",
    ("yaml", r".*"): "tests/documentation/test_code_blocks.py",
}
"""Blocks of other languages by the test that runs them."""


def is_explained(command: str) -> bool:
    return any(re.match(pattern, command) for pattern in [*NOT_RUN, *TESTED])


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_runs_in_a_test_or_has_a_reason(block: CodeBlock) -> None:
    if block.reason:
        assert len(block.reason) > 10
    elif block.language in {"sh", "bash"}:
        assert [command for command in block.commands() if not is_explained(command)] == []
    elif block.language:
        assert any(block.language == language and re.match(page, block.path) for language, page in OTHERS)
    else:
        assert not block.text.lstrip().startswith(("$", "./", "curl")), "a shell block has the language sh"


@pytest.mark.parametrize("test", sorted({*TESTED.values(), *OTHERS.values()}))
def test_the_named_tests_exist(test: str) -> None:
    assert Path(test).is_file()


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "sh"], ids=str)
def test_a_shell_block_is_valid(block: CodeBlock) -> None:
    checked = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)
    assert checked.stderr == ""


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in {"json", "yaml"}], ids=str)
def test_data_can_be_parsed(block: CodeBlock) -> None:
    assert json.loads(block.text) if block.language == "json" else yaml.safe_load(block.text)


@pytest.mark.parametrize(
    "page", ["packages/models/README.md", "packages/world/README.md", "packages/tracing/README.md"]
)
def test_the_programs_of_a_package_run(page: str) -> None:
    programs = [block.text for block in code_blocks(page) if block.language == "python"]
    for program in programs:
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
        assert ran.returncode == 0, ran.stderr
