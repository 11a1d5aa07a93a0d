"""The Redis of Compose in a container: it restarts after a script that does not end, and has its data."""

import os
from pathlib import Path

import pytest
import redis.exceptions
import yaml
from redis import Redis

from deployment.engine import container, docker, logs
from fixtures.waiting import wait_until

SERVICE = yaml.safe_load(Path("docker/compose.yaml").read_text())["services"]["redis"]


def client(id_: str, user: str) -> Redis:
    """Return a client of the container. Its port is another one after a restart."""
    port = int(docker("port", id_, "6379").splitlines()[0].rpartition(":")[2])
    return Redis(port=port, username=user, password=user, socket_timeout=5)


def ping(id_: str) -> bool:
    with client(id_, "probe") as probe:
        return bool(probe.ping())


def test_a_container_whose_redis_a_script_blocks_restarts_with_its_data(engine: str, compose_redis: str) -> None:
    options = [f"--user={SERVICE['user']}", f"--restart={SERVICE['restart']}", "--volume=/data", "--read-only"]
    options += ["--init"] if SERVICE["init"] else []
    options += ["--cap-drop=ALL", "--security-opt=no-new-privileges", "--publish=127.0.0.1::6379"]
    settings = [f"--label={engine}", "--env=WATCHDOG_PERIOD_S=1"]
    id_ = docker("run", "--detach", *settings, *options, compose_redis, *SERVICE["command"])
    faults = (redis.exceptions.RedisError, OSError, IndexError)
    assert wait_until(lambda: ping(id_), "the server", errors=faults)
    with client(id_, "worker") as worker:
        worker.sadd("sims", "default")
    with client(id_, "api") as api, pytest.raises(redis.exceptions.RedisError):
        api.eval("while true do end", 0)
    assert wait_until(lambda: container(id_).restart_count, "a restart", timeout_s=120) == 1
    assert wait_until(lambda: ping(id_), "the server", errors=faults)
    with client(id_, "viz") as viz:
        assert viz.smembers("sims") == {b"default"}
    assert "watchdog: Redis did not answer 6 times and is killed" in logs(id_)
    docker("stop", "--time=30", id_)
    assert container(id_).state.exit_code == os.EX_OK
