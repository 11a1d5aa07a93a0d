"""The image `sector`: a complete world in one container."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from deployment.engine import build_world, container, docker, image, logs
from fixtures.waiting import wait_until

# The only writable path of the container.
_HARDENED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")


@pytest.fixture(scope="module")
def name(engine: str) -> Iterator[str]:
    name = build_world()
    yield name
    docker("rmi", "--force", name)


type Start = Callable[..., str]


@pytest.fixture
def start(engine: str, name: str) -> Iterator[Start]:
    """Starts worlds with published free ports, waits until they are ready, and removes them after the test."""
    started: list[str] = []

    def start(*arguments: str, options: tuple[str, ...] = ()) -> str:
        ports = ("--publish=127.0.0.1::8000", "--publish=127.0.0.1::9000")
        started.append(docker("run", "--detach", f"--label={engine}", *_HARDENED, *ports, *options, name, *arguments))
        wait_until(lambda: is_ready(started[-1]), "a world that is ready", timeout_s=300)
        return started[-1]

    yield start
    if started:
        docker("rm", "--force", *started)


@pytest.fixture
def volume(engine: str) -> Iterator[str]:
    name = docker("volume", "create", f"--label={engine}")
    yield name
    docker("volume", "rm", name)


def is_ready(id_: str) -> bool:
    """Return whether the world of a container is ready. Raises AssertionError with its log if it has ended."""
    text = logs(id_)
    if "Sector is running." in text:
        return True
    state = container(id_).state
    assert state.running, f"the container ended with {state.exit_code}:\n{text}"
    return False


def url(id_: str, port: int) -> str:
    return f"http://{docker('port', id_, str(port)).splitlines()[0]}"


def tick(id_: str) -> int:
    return int(httpx.get(f"{url(id_, 8000)}/snapshot").json()["tick"])


def test_the_world_image_ticks_serves_its_page_and_accepts_orders(start: Start) -> None:
    id_ = start()
    assert httpx.get(url(id_, 9000)).status_code == httpx.codes.OK
    token = re.search(r"export TOKEN=(\S+)", logs(id_))
    assert token is not None
    joined = httpx.post(
        f"{url(id_, 8000)}/orders",
        json={"type": "join", "faction": "Me"},
        headers={"Authorization": f"Bearer {token[1]}"},
    )
    assert joined.status_code == httpx.codes.ACCEPTED
    outcome = httpx.get(f"{url(id_, 8000)}/orders/{joined.json()['id']}", params={"wait": "10s"}).json()
    assert outcome["status"] == "applied"
    before = tick(id_)
    wait_until(lambda: tick(id_) > before, "the next tick")
    wait_until(lambda: (health := container(id_).state.health) and health.status == "healthy", "a healthy container")


def test_stopping_the_container_ends_all_processes(start: Start) -> None:
    id_ = start()
    docker("stop", "--time=20", id_)
    assert container(id_).state.exit_code == 0
    assert logs(id_).rstrip().endswith("stopped.")


def test_arguments_do_not_change_the_listen_address(start: Start) -> None:
    id_ = start("--systems", "12", "--tick-delay", "0.1")
    assert len(httpx.get(f"{url(id_, 8000)}/snapshot").json()["systems"]) == 12


def test_a_volume_keeps_the_world(volume: str, start: Start) -> None:
    first = start("--data", "/data", options=(f"--volume={volume}:/data",))
    reached = wait_until(lambda: (now := tick(first)) > 3 and now, "some ticks")
    docker("stop", "--time=20", first)
    second = start("--data", "/data", options=(f"--volume={volume}:/data",))
    assert tick(second) >= reached


def test_configured_origins_may_use_the_api(start: Start) -> None:
    id_ = start("--cors-origin", "https://game.example", "--api-url", "http://192.0.2.1:8800")
    response = httpx.get(f"{url(id_, 8000)}/snapshot", headers={"Origin": "https://game.example"})
    assert response.headers["access-control-allow-origin"] == "https://game.example"
    assert "http://192.0.2.1:8800" in httpx.get(url(id_, 9000)).text


def test_the_world_image_runs_as_non_root_and_exposes_its_ports(name: str) -> None:
    config = image(name).config
    assert config.user == "65532:65532"
    assert {"8000/tcp", "9000/tcp"} == set(config.exposed_ports)
    assert (config.labels or {})["org.opencontainers.image.title"] == "sector"
