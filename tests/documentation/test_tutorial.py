"""The programs of the tutorial run unchanged."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from documentation.code_blocks import blocks_of
from fixtures.processes import Processes, Service, environment
from fixtures.requires import require_program
from fixtures.sim import LONG
from fixtures.tokens import SECRET, create_token
from fixtures.waiting import wait_until

FIRST_BOT, OWN_WORLD = "docs/tutorial/first-bot.md", "docs/tutorial/own-world.md"


@pytest.fixture
def api(redis_url: str, processes: Processes) -> Service:
    config = LONG.model_copy(update={"start_supply": 500})
    processes.start("worker", REDIS_URL=redis_url, TICK_DELAY="0.1", SIM_CONFIG=config.model_dump_json())
    return processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Programs that a test starts. They end with the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def systems_of(api: Service, faction: str) -> int:
    systems = httpx.get(f"{api.url}/snapshot").json()["systems"]
    return sum(system["owner"] == faction for system in systems)


@pytest.mark.parametrize(
    ("language", "bot", "choose"),
    [
        ("python", "first_bot.py", r"^def choose\(.*?(?=^\S)"),
        ("js", "first_bot.js", r"^function\* choose\(.*?^}\n"),
    ],
)
def test_a_bot_plays_with_the_other_strategy(
    language: str, bot: str, choose: str, api: Service, running: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    (strategy,) = blocks_of(FIRST_BOT, language)
    program, count = re.subn(
        choose,
        lambda _: f"{strategy}\n\n",
        (Path("examples/bots") / bot).read_text(),
        flags=re.MULTILINE | re.DOTALL,
    )
    assert count == 1
    (tmp_path / bot).write_text(program)
    interpreter = sys.executable if language == "python" else require_program("node", hint="apt-get install nodejs")
    running.append(subprocess.Popen([interpreter, tmp_path / bot, "--api", api.url, "--token", create_token("Me")]))
    wait_until(lambda: systems_of(api, "Me") >= 3, "three systems")


def test_the_check_of_an_own_world_runs(tmp_path: Path) -> None:
    world, *_ = (text for text in blocks_of("docs/guides/write-a-world.md", "python") if "class Scores" in text)
    (check,) = blocks_of(OWN_WORLD, "python")
    (command,) = blocks_of(OWN_WORLD, "sh")
    (tmp_path / "scores.py").write_text(world)
    (tmp_path / "check_scores.py").write_text(check)
    ran = subprocess.run(
        [sys.executable, "check_scores.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert command.startswith("python check_scores.py\n")
    assert ran.stdout == command.partition("# ")[2], ran.stderr
