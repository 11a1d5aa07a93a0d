"""A checkout made with a umask of 077: the files are their owner's alone, and the containers read them all the same."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from deployment.engine import docker, redis_image
from fixtures.requires import require_answer

FILES = ("redis.conf", "users.acl", "backup.sh", "watchdog.sh")
COMPOSE = Path("docker/compose.yaml")


def test_no_container_mounts_a_file_of_the_checkout() -> None:
    for name, service in yaml.safe_load(COMPOSE.read_text())["services"].items():
        mounted = [str(volume).partition(":")[0] for volume in service.get("volumes", ())]
        assert not [source for source in mounted if source.startswith((".", "/", "~"))], name


@pytest.fixture
def image(tmp_path: Path) -> Iterator[str]:
    """The image of Redis, as Compose builds it, of files that only their owner can read."""
    require_answer("docker", "info", hint="install Docker, and start its engine")
    for name in FILES:
        Path(shutil.copy(COMPOSE.parent / name, tmp_path)).chmod(0o600)
    tmp_path.chmod(0o700)
    dockerfile = COMPOSE.parent / yaml.safe_load(COMPOSE.read_text())["services"]["redis"]["build"]["dockerfile"]
    shutil.copy(dockerfile, tmp_path / "Dockerfile")
    tag = f"sector-redis-test-{uuid.uuid4().hex[:8]}"
    docker("build", f"--tag={tag}", f"--build-arg=REDIS_IMAGE={redis_image()}", str(tmp_path), timeout_s=300)
    yield tag
    docker("rmi", tag)


def test_redis_reads_its_files_as_its_own_user(image: str) -> None:
    redis = yaml.safe_load(COMPOSE.read_text())["services"]["redis"]
    run = ("run", "--rm", f"--user={redis['user']}", "--cap-drop=ALL", "--read-only", "--network=none", image)
    for name in FILES:
        assert docker(*run, "cat", f"/etc/redis/{name}").strip() == (COMPOSE.parent / name).read_text().strip()
