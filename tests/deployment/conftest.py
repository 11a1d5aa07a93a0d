"""Shared fixtures of the tests of images and manifests: an engine and the images. Tests leave nothing behind."""

import uuid
from collections.abc import Iterator, Mapping

import pytest

from deployment.engine import LABEL, PORTS, build, build_redis, docker
from deployment.rendered import BASE, PRODUCTION, Rendered
from fixtures.requires import require_success


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """A Docker engine, as the label of the containers of these tests. Labelled objects are removed at the end."""
    require_success("docker", "info", hint="install Docker, and start its engine")
    mark = f"{LABEL}={uuid.uuid4().hex[:12]}"
    yield mark
    for kind, remove in (("container", ("rm", "--force", "--volumes")), ("network", ("network", "rm"))):
        listing = ("ps", "--all") if kind == "container" else ("network", "ls")
        if left := docker(*listing, "--quiet", f"--filter=label={mark}").split():
            docker(*remove, *left)


@pytest.fixture(scope="session")
def images(engine: str) -> Mapping[str, str]:
    """The image of each service, built from this checkout by docker/Dockerfile."""
    return {service: build(service) for service in PORTS}


@pytest.fixture(scope="session")
def compose_redis(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image of Redis in Compose, of a checkout made with a umask of 077."""
    assert engine
    tag = build_redis(tmp_path_factory.mktemp("redis"))
    yield tag
    docker("rmi", "--force", tag)


@pytest.fixture(scope="session")
def base() -> Rendered:
    """The manifests as `kubectl apply -k k8s` sends them."""
    return Rendered.of(BASE)


@pytest.fixture(scope="session")
def production() -> Rendered:
    """The production overlay."""
    return Rendered.of(PRODUCTION)
