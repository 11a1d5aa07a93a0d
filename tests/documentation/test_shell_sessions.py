"""Shell sessions of the documents, in a running world. Only port, token and ids are replaced."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from documentation.code_blocks import blocks_of
from fixtures.processes import Processes, Service, environment
from fixtures.sim import LONG
from fixtures.tokens import SECRET, create_token
from fixtures.waiting import wait_until

Shell = Callable[[str], str]
MIN_TICKS = 20
_COMMANDS = {"sector-api": "sector.api", "sector-state": "sector.state"}


@pytest.fixture
def api(redis_url: str, processes: Processes) -> Service:
    config = LONG.model_copy(update={"start_supply": 500})
    processes.start("worker", REDIS_URL=redis_url, TICK_DELAY="0.1", SIM_CONFIG=config.model_dump_json())
    return processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)


@pytest.fixture
def shell(api: Service, redis_url: str, tmp_path: Path) -> Shell:
    """Runs a script in an empty folder; returns its output and errors."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, module in _COMMANDS.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (programs / name).chmod(0o755)
    # The Python of the tests, because its packages do not suit another one.
    for name in ("python", "python3"):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (programs / name).chmod(0o755)
    # A stream of events does not end by itself.
    (tmp_path / ".curlrc").write_text("max-time = 10\nsilent\n")
    variables = environment(
        PATH=f"{programs}:{os.environ['PATH']}", CURL_HOME=str(tmp_path), TOKEN=create_token("Me"), REDIS_URL=redis_url
    )
    folder = tmp_path / "work"
    folder.mkdir()

    def run(script: str) -> str:
        text = re.sub(r"(http://)?(127\.0\.0\.1|localhost):8000", api.url, script)
        ran = subprocess.run(
            ["bash", "-c", text], cwd=folder, env=variables, text=True, check=False, timeout=120,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return ran.stdout

    return run


def session(page: str, pattern: str = "") -> str:
    """Return the shell blocks of a page that match, as one script."""
    return "\n".join(text for text in blocks_of(page, "sh") if re.search(pattern, text) and "./pants" not in text)


def test_the_first_world_is_joined_and_a_system_claimed(shell: Shell, tmp_path: Path) -> None:
    page = "docs/tutorial/first-world.md"
    (program,) = blocks_of(page, "python")
    (tmp_path / "work/neighbours.py").write_text(program)
    output = shell(session(page))
    assert '"status":"pending"' in output
    assert re.search(r"^mine: S\d+\nneutral: S\d+", output, re.MULTILINE)
    assert output.count('"status":"applied"') == 3
    assert "system_claimed" in output


def test_the_readme_joins_and_shows_an_error(shell: Shell) -> None:
    # The events end at the time limit of curl.
    script = session("README.md", r"\border '").replace("export TOKEN=…", ":")
    output = shell(script)
    assert '"status":"pending"' in output
    assert '"status":422' in output
    assert "ships: must be an integer" in output


def test_the_reference_of_the_api_retries_with_a_key_and_makes_tokens(shell: Shell) -> None:
    page = "docs/reference/http-api.md"
    output = shell(session(page, "Idempotency-Key"))
    assert '"status":"pending"' in output
    tokens = shell(session(page, "sector-api token"))
    assert len(re.findall(r"^ey[\w-]+\.[\w-]+\.[\w-]+$", tokens, re.MULTILINE)) == 2


def test_maps_are_made_checked_and_drawn(shell: Shell, tmp_path: Path) -> None:
    (block,) = (
        text
        for text in blocks_of("docs/reference/rules.md", "sh")
        if "world.charts" in text or "sector.world.maps" in text
    )
    script = "\n".join(line for line in block.splitlines() if not line.startswith("SIM_MAP"))
    shell(f"set -e\n{script}")
    assert (tmp_path / "work/map.svg").read_text().lstrip().startswith("<svg")


@pytest.mark.parametrize("page", ["docs/guides/operate.md", "packages/state/README.md"])
def test_a_sim_is_exported_imported_forked_and_replayed(shell: Shell, page: str) -> None:
    (block,) = (text for text in blocks_of(page, "sh") if "sector-state export" in text)
    script = re.sub(
        r"export REDIS_URL=.*|venv/bin/|--redis-url \S+|python3?[\d.]* -m venv.*|\S*pip install .*", "", block
    )
    output = shell(f"set -e\n{script.replace('--tick 1000', '--tick 1')}\necho done")
    assert output.endswith("done\n"), output
    assert "sector.world.replay" not in block or "all as recorded" in output


def test_a_removed_sim_starts_again_from_tick_0(shell: Shell, api: Service) -> None:
    """As docs/guides/operate.md says: a worker whose SIM_ID names it creates it."""

    def tick() -> int:
        response = httpx.get(f"{api.url}/snapshot")
        return int(response.json()["tick"]) if response.is_success else MIN_TICKS

    wait_until(lambda: tick() > MIN_TICKS, f"tick {MIN_TICKS}")
    assert "remove SIM" in Path("docs/guides/operate.md").read_text()
    shell("sector-state remove default")
    wait_until(lambda: tick() < MIN_TICKS, "a new world")
