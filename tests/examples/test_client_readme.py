"""The programs in the README of the Python client run unchanged."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fixtures.processes import Processes, Service, environment
from fixtures.sim import LONG
from fixtures.tokens import SECRET, bearer_header, create_token
from fixtures.waiting import wait_until

README = Path("packages/client/README.md")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def api(redis_url: str, processes: Processes) -> Service:
    config = LONG.model_copy(update={"start_supply": 500})
    processes.start("worker", REDIS_URL=redis_url, TICK_DELAY="0.1", SIM_CONFIG=config.model_dump_json())
    return processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)


def start(program: str, folder: Path, api: Service, held: str) -> subprocess.Popen[str]:
    """Start a program as a file, with the address and the token in its environment."""
    path = folder / "program.py"
    path.write_text(program)
    return subprocess.Popen(
        [sys.executable, str(path)],
        env=environment(SECTOR_API=api.url, SECTOR_TOKEN=held),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[str]]]:
    """The programs that a test starts. They end with the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def output_of(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output


def test_every_example_of_the_readme_is_tested() -> None:
    assert len(PROGRAMS) == 3


def test_the_bot_plays(api: Service, tmp_path: Path, running: list[subprocess.Popen[str]]) -> None:
    running.append(start(PROGRAMS[0], tmp_path, api, create_token("Me")))
    output = output_of(running[0])
    assert output.startswith("applied")
    assert "faction_joined" in output
    assert "system_claimed" in output


def test_the_bot_reports_errors(api: Service, tmp_path: Path, running: list[subprocess.Popen[str]]) -> None:
    running.append(start(PROGRAMS[0], tmp_path, api, create_token("Another")))
    assert output_of(running[0]).startswith("The API rejected a request: ")


def test_an_idempotency_key_makes_an_order_take_effect_once(
    api: Service, tmp_path: Path, running: list[subprocess.Popen[str]]
) -> None:
    join = {"type": "join", "faction": "Me"}
    joining = httpx.post(f"{api.url}/orders", json=join, headers=bearer_header(create_token("Me"))).json()
    assert httpx.get(f"{api.url}/orders/{joining['id']}?wait=20s", timeout=30).json()["status"] == "applied"
    running.append(start(PROGRAMS[1], tmp_path, api, create_token("Me")))
    assert output_of(running[0]) == "True\n"


def test_the_event_example_prints_events(api: Service, tmp_path: Path, running: list[subprocess.Popen[str]]) -> None:
    following = start(PROGRAMS[2], tmp_path, api, "")
    running.append(following)

    def ended() -> bool:
        note = {"type": "note", "faction": "Crimson", "text": "hello"}
        httpx.post(f"{api.url}/orders", json=note, headers=bearer_header(create_token("Crimson"))).raise_for_status()
        return following.poll() is not None

    # The program sees only new events, so the test creates events until it ends.
    wait_until(ended, "the end of the program", interval_s=0.1)
    assert output_of(following).endswith(" note\n")
