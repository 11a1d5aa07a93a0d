"""A Docker engine, used by its command line, and the images of this checkout."""

import re
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_pascal

PORTS: Mapping[str, int] = {"api": 8000, "worker": 8080, "viz": 9000, "bot": 8080}
# The objects of the tests have this label, which distinguishes them from others in the engine.
LABEL = "org.sector.test"


class EngineError(Exception):
    """A command of the engine failed."""

    def __init__(self, arguments: tuple[str, ...], detail: str) -> None:
        super().__init__(f"docker {' '.join(arguments)}: {detail}")
        self.arguments, self.detail = arguments, detail


class _EngineModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal)


class Check(_EngineModel):
    """The health check of an image."""

    test: list[str]


class ImageConfig(_EngineModel):
    """The configuration of an image or a container."""

    user: str
    entrypoint: list[str] | None
    cmd: list[str] | None = None
    labels: dict[str, str] | None
    exposed_ports: dict[str, dict[str, str]] = {}
    healthcheck: Check | None = None


class Health(_EngineModel):
    """The health of a container."""

    status: str


class State(_EngineModel):
    """The state of a container."""

    running: bool
    pid: int
    exit_code: int
    started_at: datetime
    health: Health | None = None


class Layers(_EngineModel):
    """The layers of an image, by their digests."""

    layers: list[str]


class Limits(_EngineModel):
    """The host configuration of a container: its limits and privileges."""

    readonly_rootfs: bool
    cap_drop: list[str] | None
    memory: int


class Image(_EngineModel):
    """The properties of an image that tests use."""

    model_config = ConfigDict(alias_generator=lambda name: "RootFS" if name == "root_fs" else to_pascal(name))
    config: ImageConfig
    root_fs: Layers


class Container(_EngineModel):
    """The properties of a container that tests use."""

    config: ImageConfig
    state: State
    host_config: Limits
    restart_count: int


def docker(*arguments: str, timeout_s: float = 120) -> str:
    """Return the output of `docker ARGUMENTS`. Raises EngineError."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode:
        raise EngineError(arguments, (done.stderr or done.stdout).strip()[-2000:])
    return done.stdout.strip()


def image(name: str) -> Image:
    """Return the properties of an image."""
    (inspected,) = TypeAdapter(list[Image]).validate_json(docker("image", "inspect", name))
    return inspected


def container(id_: str) -> Container:
    """Return the current properties of a container."""
    (inspected,) = TypeAdapter(list[Container]).validate_json(docker("container", "inspect", id_))
    return inspected


def version(service: str) -> str:
    """Return the version of a service in this checkout: the head of its changelog."""
    head = re.search(r"^## (\S+)", Path(f"services/{service}/CHANGELOG.md").read_text(), re.MULTILINE)
    assert head
    return head[1]


def available(name: str) -> str:
    """Return the name of an existing image: with its digest, or its tag alone. A stand-in has no digest."""
    try:
        image(name)
    except EngineError:
        return name.partition("@")[0]
    return name


def base_image() -> str:
    """Return the image that docker/Dockerfile builds on."""
    python_arg = re.search(r"^ARG PYTHON=(\S+)$", Path("docker/Dockerfile").read_text(), re.MULTILINE)
    assert python_arg
    return available(python_arg[1])


def redis_image() -> str:
    """Return the image that docker/redis.Dockerfile builds on."""
    redis_arg = re.search(r"ARG REDIS_IMAGE=(\S+)", Path("docker/redis.Dockerfile").read_text())
    assert redis_arg
    return available(redis_arg[1])


REDIS_FILES = ("redis.conf", "users.acl", "backup.sh", "watchdog.sh")
"""What docker/redis.Dockerfile copies."""


def build_redis(folder: Path) -> str:
    """Build the image of Redis, as Compose does, of files in `folder` that only their owner can read; returns its name."""
    for name in (*REDIS_FILES, "redis.Dockerfile"):
        Path(shutil.copy(Path("docker") / name, folder)).chmod(0o600)
    folder.chmod(0o700)
    tag = f"sector-redis-test-{uuid.uuid4().hex[:8]}"
    options = (f"--file={folder / 'redis.Dockerfile'}", f"--tag={tag}", f"--build-arg=REDIS_IMAGE={redis_image()}")
    docker("build", *options, str(folder), timeout_s=300)
    return tag


def build(service: str, context: Path | None = None, tag: str = "test", **arguments: str) -> str:
    """Build the image of a service from its two PEXes in `context`; returns its name."""
    name = f"sector-{service}:{tag}"
    given = {"PYTHON": base_image(), "SERVICE": service, "PORT": str(PORTS[service])} | arguments
    build_args = [f"--build-arg={key}={value}" for key, value in given.items()]
    directory = context or Path(f"services.{service}")
    docker("build", "--file=docker/Dockerfile", f"--tag={name}", *build_args, str(directory), timeout_s=300)
    return name


def build_world(tag: str = "test") -> str:
    """Build the image of a complete world; returns its name."""
    name = f"sector:{tag}"
    arguments = {"PYTHON": base_image(), "SERVICE": "standalone", "TITLE": "sector", "PORT": "9000"}
    options = [f"--build-arg={key}={value}" for key, value in arguments.items()]
    target = ("--file=docker/Dockerfile", "--target=sector", f"--tag={name}")
    docker("build", *target, *options, "services.standalone", timeout_s=300)
    return name


def logs(container: str) -> str:
    """Return the log of a container."""
    done = subprocess.run(["docker", "logs", container], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr
