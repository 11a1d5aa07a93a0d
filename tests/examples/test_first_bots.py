"""The first bots, started like in their README, in a world that starts at the same time."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fixtures.processes import Processes, Service
from fixtures.requires import require_program
from fixtures.sim import Sim
from fixtures.tokens import SECRET, create_token
from fixtures.waiting import wait_until
from sector.models import Puppet, SimConfig, Snapshot

FOLDER = Path("examples/bots")
# Small enough to end soon, with fair homes.
CONFIG = SimConfig(seed=3, systems=24, homes=4, puppets=[Puppet(faction="Azure")])


def command_of(bot: str) -> list[str]:
    """Return the command that starts a bot."""
    program = sys.executable if bot.endswith(".py") else require_program("node", hint="apt-get install nodejs")
    return [program, str(FOLDER / bot)]


@pytest.fixture(params=["first_bot.py", "first_bot.js"])
def bot(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def running(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The bots that a test starts. They end with the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def start_world(redis_url: str, processes: Processes, config: SimConfig, delay: str = "0.05") -> Service:
    processes.start("worker", REDIS_URL=redis_url, TICK_DELAY=delay, SIM_CONFIG=config.model_dump_json())
    return processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)


def start_bot(bot: str, api: Service, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        arguments = ["--api", api.url, "--token", create_token("Me")]
        # An empty environment: a bot needs no package.
        return subprocess.Popen(
            [*command_of(bot), *arguments],
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
        )


def snapshot_of(api: Service) -> Snapshot:
    return Snapshot.model_validate_json(httpx.get(f"{api.url}/snapshot").content)


def systems_of(api: Service, faction: str) -> int:
    return sum(system.owner == faction for system in snapshot_of(api).systems)


def last_tick(log: Path) -> int:
    """Return the last tick that a bot printed."""
    return max(map(int, re.findall(r"^tick (\d+),", log.read_text(), re.MULTILINE)), default=-1)


def test_a_bot_is_short_and_needs_no_package(bot: str) -> None:
    text = (FOLDER / bot).read_text()
    assert text.count("\n") < 60
    assert max(len(line) for line in text.splitlines()) <= 120
    assert "sector" not in "".join(line for line in text.splitlines() if "import" in line)


def test_a_bot_plays_while_apis_restart(
    bot: str,
    redis_url: str,
    processes: Processes,
    running: list[subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    # Without rivals it always grows, even if it acts rarely.
    api = start_world(redis_url, processes, CONFIG.model_copy(update={"puppets": ()}))
    playing = start_bot(bot, api, tmp_path / "bot.log")
    running.append(playing)
    wait_until(lambda: systems_of(api, "Me") >= 3, "three systems")
    api.process.kill()
    api.process.wait()
    wait_until(lambda: b"refused" in (tmp_path / "bot.log").read_bytes().lower(), "a retry")
    api = processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET, PORT=str(api.port))
    tick = snapshot_of(api).tick
    wait_until(lambda: last_tick(tmp_path / "bot.log") > tick, "orders of later ticks")
    assert playing.poll() is None, (tmp_path / "bot.log").read_text()


def test_a_bot_exits_when_the_sim_is_finished(
    bot: str, redis_url: str, processes: Processes, running: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    api = start_world(redis_url, processes, CONFIG.model_copy(update={"max_ticks": 30}))
    playing = start_bot(bot, api, tmp_path / "bot.log")
    running.append(playing)
    assert playing.wait(timeout=60) == 0, (tmp_path / "bot.log").read_text()


@pytest.mark.parametrize(("given", "problem"), [("nonsense", "Invalid token"), ("", "usage")])
def test_a_bot_reports_an_invalid_token(
    bot: str, given: str, problem: str, sim: Sim, redis_url: str, processes: Processes
) -> None:
    assert sim.lease.epoch == 1
    api = processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)
    arguments = ["--api", api.url, *(["--token", given] if given else [])]
    ended = subprocess.run([*command_of(bot), *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert problem in ended.stdout + ended.stderr


def test_a_bot_without_a_home_reports_it(bot: str, redis_url: str, processes: Processes) -> None:
    crowded = CONFIG.model_copy(update={"homes": 2, "players": ("You",)})
    api = start_world(redis_url, processes, crowded)
    ended = subprocess.run(
        [*command_of(bot), "--api", f"{api.url}/", "--token", create_token("Me")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "every home system has an owner" in ended.stderr
