"""The rendered base, run with Docker behind a real nginx that follows its Ingresses."""

import asyncio
import re
import subprocess
from collections.abc import Iterator, Mapping

import aiohttp
import httpx
import pytest
import socketio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, async_playwright

from deployment.cluster import ORDER, Cluster
from deployment.engine import container, docker
from deployment.pods import Pod
from deployment.rendered import BASE, Rendered
from fixtures.nginx import require_nginx
from fixtures.processes import free_port
from fixtures.requires import require_program
from fixtures.waiting import wait_until

HOST = {"Host": "sector.local"}


@pytest.fixture(scope="module")
def cluster(engine: str, images: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    nginx = require_nginx()
    repositories = {f"sector-{service}": image for service, image in images.items()}
    directory = tmp_path_factory.mktemp("node")
    # Readable for other users, because containers run as other users.
    for each in (directory, *list(directory.parents)[:3]):
        each.chmod(0o755)
    cluster = Cluster(Rendered.of(BASE), repositories, engine, nginx, free_port(), directory)
    cluster.start()
    yield cluster
    cluster.gate.close()


@pytest.fixture
def http(cluster: Cluster) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{cluster.gate.port}", headers=HOST, timeout=10) as client:
        yield client


def test_every_workload_starts_and_passes_its_probes(cluster: Cluster) -> None:
    # The fixture has waited until the probes succeed.
    assert {name: len(pods) for name, pods in cluster.pods.items()} == {
        "redis": 1,
        "worker": 2,
        "api": 2,
        "viz": 2,
        "bot": 1,
    }
    for pod in (pod for pods in cluster.pods.values() for pod in pods):
        inspected = container(pod.id)
        assert inspected.state.running
        assert inspected.host_config.readonly_rootfs
        assert inspected.host_config.cap_drop == ["ALL"]
        assert inspected.config.user == "65532:65532"
        assert inspected.host_config.memory > 0


@pytest.mark.parametrize("name", [each for each in ORDER if each != "redis"])
def test_services_have_a_read_only_root_filesystem(cluster: Cluster, name: str) -> None:
    pod, *_ = cluster.pods[name]
    tried = (
        "import errno, pathlib, sys\n"
        "try: pathlib.Path(sys.argv[1]).write_text('x')\n"
        "except OSError as error: print(errno.errorcode[error.errno])"
    )
    for path in ("/app/x", "/x"):
        assert docker("exec", pod.id, "/app/bin/python", "-c", tried, path) == "EROFS"


def test_the_page_is_at_the_root_of_the_host(http: httpx.Client) -> None:
    answer = http.get("/")
    assert answer.status_code == 200
    assert "<title>Sector" in answer.text
    # The assets of the page have the same host.
    for part in re.findall(r'(?:src|href)="([^":]+)"', answer.text):
        assert http.get(f"/{part.lstrip('/')}").status_code == 200, part


@pytest.mark.parametrize("path", ["/api/health/ready", "/API/health/ready", "/api/health/ready?x=1"])
def test_the_ingress_removes_the_api_prefix(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.json() == {"service": "api", "ready": True}
    assert http.get("/api").status_code == http.get("/api/").status_code
    assert http.get("/health/ready").json()["service"] == "viz"
    assert http.get("/apix").status_code == 404


@pytest.mark.parametrize(
    "path", ["/health", "/metrics", "/api/health", "/api/metrics", "/API/metrics", "/api//metrics"]
)
def test_the_ingress_exposes_no_operator_endpoint(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


def test_another_host_gets_404(cluster: Cluster) -> None:
    assert httpx.get(f"http://127.0.0.1:{cluster.gate.port}/", headers={"Host": "other.local"}).status_code == 404


def test_an_order_through_the_ingress_is_applied(http: httpx.Client) -> None:
    accepted = http.post("/api/orders", json={"type": "join", "faction": "Ingress"})
    assert accepted.status_code == 202
    outcome = http.get(f"/api/orders/{accepted.json()['id']}?wait=10s").json()
    assert outcome["status"] == "applied"
    refused = http.post("/api/orders", json={"type": "join"})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"


def test_the_bot_plays(http: httpx.Client) -> None:
    assert wait_until(lambda: "Bot" in [each["id"] for each in http.get("/api/snapshot").json()["factions"]], "the bot")


def test_the_ingress_does_not_buffer_event_streams(http: httpx.Client) -> None:
    with http.stream("GET", "/api/events/stream", headers={"Accept": "text/event-stream"}) as stream:
        assert stream.status_code == 200
        assert next(stream.iter_lines())


def test_rate_limits_count_the_client_behind_the_proxy(cluster: Cluster, http: httpx.Client) -> None:
    """`PROXIES` of the manifest equals the number of proxies, so a forged address is ignored."""
    forged = http.get("/api/snapshot", headers={"X-Forwarded-For": "203.0.113.9"})
    assert forged.status_code == 200
    pod, *_ = cluster.pods["api"]
    environment = docker("exec", pod.id, "/app/bin/python", "-c", "import os; print(os.environ['PROXIES'])")
    assert environment == "1"


async def test_a_spectator_connects_and_stays_with_one_replica(cluster: Cluster) -> None:
    event_names: asyncio.Queue[str] = asyncio.Queue()
    # Otherwise aiohttp would store no cookies of an IP address.
    session = aiohttp.ClientSession(headers=HOST, cookie_jar=aiohttp.CookieJar(unsafe=True))
    client = socketio.AsyncClient(reconnection=False, serializer="msgpack", http_session=session)
    for name in ("world", "tick"):
        client.on(name, lambda *_, name=name: event_names.put_nowait(name))
    await client.connect(
        f"http://127.0.0.1:{cluster.gate.port}", socketio_path="/ws", transports=["websocket"], wait_timeout=10
    )
    try:
        assert client.transport() == "websocket"
        assert await client.call("watch", ("", ""), timeout=10) is None
        async with asyncio.timeout(15):
            assert await event_names.get() == "world"
            for _ in range(4):
                assert await event_names.get() == "tick"
    finally:
        await client.disconnect()
        await session.close()


def test_the_affinity_cookie_is_set_once_and_only_for_the_page(http: httpx.Client) -> None:
    first = http.get("/")
    assert "sector-viz" in first.headers["set-cookie"]
    assert "HttpOnly" in first.headers["set-cookie"]
    assert "set-cookie" not in http.get("/").headers
    assert "set-cookie" not in httpx.get(f"{http.base_url}/api/snapshot", headers=HOST).headers


async def opened(page: Page, url: str) -> None:
    """Open the page, and wait until it is live. Chromium cancels requests when Docker changes a network interface."""
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(f"{request.url}: {request.failure}"))
    for _ in range(5):
        failed.clear()
        try:
            await page.goto(url)
            await page.locator("body[data-state=live]").wait_for(timeout=20_000)
        except PlaywrightError as error:
            if not any("ERR_NETWORK_CHANGED" in each for each in (*failed, str(error))):
                state = await page.locator("body").get_attribute("data-state")
                raise AssertionError(f"the page is {state}; failed: {failed}") from error
        else:
            return
    raise AssertionError(failed)


async def test_the_page_is_live_and_uses_the_api_of_its_host(cluster: Cluster) -> None:
    chromium = require_program("chromium", "chromium-browser", "google-chrome", hint="apt-get install chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP sector.local 127.0.0.1"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        try:
            page = await browser.new_page()
            await opened(page, f"http://sector.local:{cluster.gate.port}/")
            await page.get_by_role("button", name="Play", exact=True).click()
            # The API is open, so a name is enough.
            await page.locator("#play-faction").fill("Visitor")
            service_name = await page.evaluate(
                "fetch('/api/health/ready').then((answer) => answer.json()).then((health) => health.service)"
            )
            assert service_name == "api"
        finally:
            await browser.close()


def test_redis_can_be_backed_up_in_its_pod(cluster: Cluster) -> None:
    (pod,) = cluster.pods["redis"]
    command = ["docker", "exec", pod.id, "sh", "/etc/redis/backup.sh", "backup"]
    saved = subprocess.run(command, capture_output=True, timeout=60, check=True).stdout
    assert saved.startswith((b"REDIS", b"VALKEY"))
    assert b"sim:{default}:head" in saved


def test_without_redis_pods_are_unready_and_alive(cluster: Cluster) -> None:
    (redis,) = cluster.pods["redis"]
    services = [pod for name in ("api", "viz", "worker") for pod in cluster.pods[name]]
    docker("pause", redis.id)
    try:
        for pod in services:
            _await(pod, ready=False)
            assert pod.ask(pod.container.liveness_probe) is None, "and alive"
    finally:
        docker("unpause", redis.id)
    for pod in services:
        _await(pod, ready=True)


def _await(pod: Pod, *, ready: bool) -> None:
    probe = pod.container.readiness_probe
    wait_until(lambda: (pod.ask(probe) is None) == ready, f"{pod.name}: ready: {ready}", interval_s=0.5)
