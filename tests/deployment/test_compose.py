"""`docker compose up --build` at the root: all services start in order, listen on their ports, and restart."""

import json
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from redis import Redis
from redis.exceptions import RedisError

from deployment.engine import base_image, container, docker, redis_image
from fixtures.requires import require_success
from fixtures.waiting import wait_until

SERVICES = ("redis", "worker", "api", "viz", "bot-amber", "bot-teal")


class ComposeProject:
    """A Compose project on its own loopback address, with the ports of the file."""

    def __init__(self, directory: Path) -> None:
        number = uuid.uuid4().int
        self.address = f"127.{100 + number % 100}.{number // 100 % 250}.1"
        self._project = f"sector-test-{number % 16**8:08x}"
        self._directory = directory
        self._environment = {**os.environ, "BIND": self.address, "REDIS_IMAGE": redis_image()}

    def __call__(self, *arguments: str, timeout_s: float = 400, **settings: str) -> str:
        done = subprocess.run(
            ["docker", "compose", "--project-name", self._project, *arguments],
            cwd=self._directory,
            env={**self._environment, **settings},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def redis(self, what: str, given: bytes = b"", *, fails: bool = False) -> bytes:
        """Return the output of backup.sh: a backup, or a message."""
        command = [
            "docker",
            "compose",
            "--project-name",
            self._project,
            "exec",
            "-T",
            "redis",
            "sh",
            "/etc/redis/backup.sh",
            what,
        ]
        done = subprocess.run(
            command,
            cwd=self._directory,
            env=self._environment,
            input=given,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done.stdout if what == "backup" else done.stderr

    def containers(self, service: str) -> list[dict[str, str]]:
        """Return the containers of a service, from `docker compose ps`."""
        lines = self("ps", "--all", "--format=json", service).splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeProject]:
    require_success("docker", "info", hint="install Docker, and start its engine")
    require_success("docker", "compose", "version", hint="install the Compose plugin of Docker")
    root = tmp_path_factory.mktemp("root")
    shutil.copy("compose.yaml", root)
    shutil.copytree("docker", root / "docker")
    for pex in [*Path().glob("services.*/*.pex"), *Path().glob("tests.load/*.pex")]:
        target = root / "dist" / pex
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pex, target)
    compose = ComposeProject(root)
    try:
        compose("build", "--build-arg", f"PYTHON={base_image()}")
        compose("up", "--detach", "--wait", "--wait-timeout=120", "--scale", "worker=3")
        yield compose
    finally:
        compose("down", "--volumes", "--timeout=10")


def test_all_services_are_healthy_with_three_workers(project: ComposeProject) -> None:
    counts = {name: [each["Health"] for each in project.containers(name)] for name in SERVICES}
    assert counts == {name: ["healthy"] * (3 if name == "worker" else 1) for name in SERVICES}


def test_services_start_after_their_dependencies_are_healthy(project: ComposeProject) -> None:
    started = {
        name: min(container(each["ID"]).state.started_at for each in project.containers(name)) for name in SERVICES
    }
    assert started["redis"] < started["worker"] < min(started["api"], started["viz"])
    assert started["api"] < min(started["bot-amber"], started["bot-teal"])


def test_published_ports_answer(project: ComposeProject) -> None:
    for port, service in ((8000, "api"), (9000, "viz")):
        url = f"http://{project.address}:{port}"
        assert httpx.get(f"{url}/health/ready").json() == {"service": service, "ready": True}
        for path in ("/health", "/metrics"):
            assert httpx.get(f"{url}{path}").status_code == 404
    assert "<title>Sector" in httpx.get(f"http://{project.address}:9000/").text
    with Redis.from_url(f"redis://viz:viz@{project.address}:6379/0") as redis:
        assert redis.smembers("sims") == {b"default"}


def test_the_page_of_this_host_may_use_the_api(project: ComposeProject) -> None:
    allowed = httpx.get(f"http://{project.address}:8000/snapshot", headers={"Origin": "http://localhost:9000"})
    assert allowed.headers["access-control-allow-origin"] == "http://localhost:9000"


def test_the_bots_play(project: ComposeProject) -> None:
    def playing() -> bool:
        factions = httpx.get(f"http://{project.address}:8000/snapshot").json()["factions"]
        return {"Amber", "Teal"} <= {each["id"] for each in factions}

    assert wait_until(playing, "two bots")


def test_a_distributed_load_test_reports_its_objectives(project: ComposeProject) -> None:
    project("--profile", "load", "build", "--build-arg", f"PYTHON={base_image()}")
    command = ("--profile", "load", "up", "--no-recreate", "--exit-code-from", "load", "load")
    # The objectives are about lost orders and missed ticks. The bench measures the latency.
    load_output = project(*command, USERS="20", RUN_TIME="10s", SPAWN_RATE="20", P99_MS="60000", SEEN_MS="60000")
    assert "acknowledged orders without an outcome within 3 ticks: none" in load_output
    assert "NOT MET" not in load_output
    ended = project.containers("load-worker")
    assert len(ended) == 2
    assert {str(each["ExitCode"]) for each in ended} == {"0"}


def test_redis_keeps_an_append_only_file(project: ComposeProject) -> None:
    (redis,) = project.containers("redis")
    assert ".incr.aof" in docker("exec", redis["ID"], "ls", "/data/appendonlydir")


def test_the_world_continues_after_a_restart_of_redis(project: ComposeProject) -> None:
    before = _ask(project)
    project("restart", "redis")
    _tick_beyond(project, before)


def test_a_redis_that_a_script_blocks_is_restarted(project: ComposeProject) -> None:
    before = _ask(project)
    url = f"redis://api:api@{project.address}:6379/0"
    with Redis.from_url(url, socket_timeout=1) as redis, pytest.raises(RedisError):
        redis.eval("while true do end", 0)
    assert _is_healthy_again(project.containers("redis")[0]["ID"])
    _tick_beyond(project, before)


def test_a_backup_can_be_restored(project: ComposeProject) -> None:
    before = _ask(project)
    saved = project.redis("backup")
    after = _tick_beyond(project, _ask(project) + 3)
    project("stop", *(name for name in SERVICES if name != "redis"))
    restore_output = project.redis("restore", given=saved)
    assert b"restored" in restore_output
    with Redis.from_url(f"redis://worker:worker@{project.address}:6379/0") as redis:
        assert before <= int(redis.hget("sim:{default}:head", "tick") or 0) < after
    # The append-only file has the restored data too.
    project("restart", "redis")
    project("up", "--detach", "--wait", "--wait-timeout=120", "--scale", "worker=3")
    assert before <= _ask(project)
    _tick_beyond(project, after)


@pytest.mark.parametrize("file", [b"", b"REDIS0011 and no more", b"no such file"])
def test_restoring_an_invalid_backup_changes_nothing(project: ComposeProject, file: bytes) -> None:
    before = _ask(project)
    assert b"nothing was changed" in project.redis("restore", given=file, fails=True)
    _tick_beyond(project, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a process of a container is killed from outside")
@pytest.mark.parametrize("service", ["api", "viz", "worker"])
def test_a_crashed_process_is_restarted(project: ComposeProject, service: str) -> None:
    id_ = project.containers(service)[0]["ID"]
    pid = container(id_).state.pid
    assert pid > 1
    os.kill(pid, signal.SIGKILL)
    assert _is_healthy_again(id_)


def _is_healthy_again(id_: str) -> bool:
    def again() -> bool:
        inspected = container(id_)
        return (
            inspected.restart_count == 1
            and inspected.state.health is not None
            and inspected.state.health.status == "healthy"
        )

    return wait_until(again, "a container that is healthy again", timeout_s=180)


def _ask(project: ComposeProject) -> int:
    return _tick_beyond(project, -1)


def _tick_beyond(project: ComposeProject, tick: int) -> int:
    def beyond() -> int | None:
        answer = httpx.get(f"http://{project.address}:8000/snapshot", timeout=5)
        reached: int = answer.json()["tick"] if answer.is_success else -1
        return reached if reached > tick else None

    return wait_until(beyond, f"a tick after {tick}", errors=(httpx.HTTPError,))


def test_every_service_is_hardened_and_restarted() -> None:
    services = yaml.safe_load(Path("docker/compose.yaml").read_text())["services"]
    for name, service in services.items():
        # A load test ends by itself.
        assert service["restart"] == ("no" if "profiles" in service else "unless-stopped"), name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
