"""A checkout with a umask of 077: only its owner can read the files, and the containers work nevertheless."""

from pathlib import Path

import yaml

from deployment.engine import REDIS_FILES, docker

COMPOSE = Path("docker/compose.yaml")


def test_no_container_mounts_a_file_of_the_checkout() -> None:
    for name, service in yaml.safe_load(COMPOSE.read_text())["services"].items():
        mounted = [str(volume).partition(":")[0] for volume in service.get("volumes", ())]
        assert not [source for source in mounted if source.startswith((".", "/", "~"))], name


def test_redis_reads_its_files_as_its_own_user(compose_redis: str) -> None:
    redis = yaml.safe_load(COMPOSE.read_text())["services"]["redis"]
    run = ("run", "--rm", f"--user={redis['user']}", "--cap-drop=ALL", "--read-only", "--network=none", compose_redis)
    for name in REDIS_FILES:
        assert docker(*run, "cat", f"/etc/redis/{name}").strip() == (COMPOSE.parent / name).read_text().strip()
