"""The page during a rolling update: two versions of the viz behind one proxy, which forwards each request to either."""

import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from browser.world_page import WorldPage
from playwright.async_api import Browser, Page, Response, expect

from fixtures.nginx import require_nginx
from fixtures.own_valkey import OwnValkey
from fixtures.processes import Processes, environment, free_port
from fixtures.sim import Sim
from fixtures.waiting import wait_until
from sector.state.redis.client import connect
from sector.viz.page_server import FOLDER

_NGINX = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream page {{ {page} }}
  upstream data {{ {data} }}
  map $http_upgrade $connection_header {{ default upgrade; '' ''; }}
  proxy_http_version 1.1;
  proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto {proto};
  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_header;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://page; }}
    location ~ ^/(ws|sims|connection)(/|$) {{ proxy_pass http://data; }}
  }}
}}
"""
_STYLE = {"page/style.css": {"body {": "/* another version */\nbody {"}}
VERSION_0_5: Mapping[str, Mapping[str, str]] = {
    "broadcaster_registry.py": {'rooms.on("heartbeat", self._heartbeat)': "pass"},
    "sim_broadcaster.py": {'("sim_error", "fault")': '("fault",)'},
    "history_api.py": {'app.add_route(self._limited(self.timeline), "/sims/<sim_id>/timeline")': "pass"},
    "page/net/connection.js": {'["sim_error", "fault"]': '["fault"]', '"heartbeat"': '"beat"'},
    "page/net/history.js": {"sims/${sim}/timeline": "sims/${sim}/course"},
}
"""The messages and paths of version 0.5: what replaces the present ones in each file."""


@contextmanager
def running(*command: str, env: dict[str, str] | None = None) -> Iterator[None]:
    """Run a program during the block."""
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def viz_of_another_version(folder: Path, redis_url: str, changes: Mapping[str, Mapping[str, str]]) -> Iterator[int]:
    """Run a viz with changes to its files meanwhile; yields its port."""
    package = folder / "sector" / "viz"
    shutil.copytree(FOLDER.parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, replacements in changes.items():
        text = (package / name).read_text()
        for present, other in replacements.items():
            assert present in text, f"{name} has no {present}"
            text = text.replace(present, other)
        (package / name).write_text(text)
    port = free_port()
    settings = environment(REDIS_URL=redis_url, PORT=str(port))
    settings["PYTHONPATH"] = f"{folder}:{settings['PYTHONPATH']}"
    with running(sys.executable, "-m", "sector.viz", env=settings):
        wait_until(lambda: httpx.get(f"http://127.0.0.1:{port}").is_success, "the other viz", errors=(httpx.HTTPError,))
        yield port


@contextmanager
def proxy(folder: Path, *, page: list[int], data: list[int], proto: str = "http") -> Iterator[str]:
    """Run a proxy meanwhile that forwards to viz at these ports in turn; yields its URL.

    `page`: for the page and its modules. `data`: for Socket.IO and the history.
    """
    program, port = require_nginx(), free_port()
    upstreams = {
        name: " ".join(f"server 127.0.0.1:{each};" for each in ports)
        for name, ports in (("page", page), ("data", data))
    }
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=folder, port=port, proto=proto, **upstreams))
    with running(program, "-c", str(configuration)):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: httpx.get(url).is_success, "the proxy", errors=(httpx.HTTPError,))
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def other_version(sim: Sim, redis_url: str, tmp_path: Path) -> AsyncIterator[int]:
    """A viz whose page is of another version; its port."""
    await sim.tick()
    with viz_of_another_version(tmp_path, redis_url, _STYLE) as port:
        yield port


@pytest.mark.parametrize("proto", ["ws", "https"])
async def test_pages_work_while_two_versions_answer_in_turn(
    browser: Browser, other_version: int, redis_url: str, processes: Processes, tmp_path: Path, proto: str
) -> None:
    viz = processes.start("viz", REDIS_URL=redis_url)
    with proxy(tmp_path, page=[viz.port, other_version], data=[viz.port, other_version], proto=proto) as url:
        wait_until(
            lambda: len({httpx.get(url).text for _ in range(2)}) == 2, "both versions", errors=(httpx.HTTPError,)
        )
        for _ in range(3):
            context = await browser.new_context()
            page = await context.new_page()
            await page.goto(url)
            await WorldPage(page).wait_for_tick(1)
            await expect(page.locator("#status")).to_have_attribute("data-state", "stale")
            await context.close()


@pytest.mark.parametrize("older", ["page", "viz"])
async def test_a_page_works_with_a_viz_of_another_version(
    page: Page, own_valkey: OwnValkey, processes: Processes, tmp_path: Path, older: str
) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    sim = await Sim.create(redis)
    await sim.tick()
    viz = processes.start("viz", REDIS_URL=own_valkey.url)
    with viz_of_another_version(tmp_path, own_valkey.url, VERSION_0_5) as port_0_5:
        pages, data = (port_0_5, viz.port) if older == "page" else (viz.port, port_0_5)
        with proxy(tmp_path, page=[pages], data=[data]) as url:
            async with page.expect_response(_has_timeline):
                await page.goto(url)
            await WorldPage(page).wait_for_tick(1)
            await expect(page.locator("#latency")).to_have_text(re.compile("ms$"))
            await sim.tick()
            await WorldPage(page).wait_for_tick(2)
            own_valkey.stop()
            await expect(page.locator("#alarm")).to_contain_text("Redis")
            own_valkey.start()
            await expect(page.locator("#alarm")).not_to_contain_text("Redis")
    await redis.aclose()


def _has_timeline(response: Response) -> bool:
    return response.ok and response.url.endswith(("/timeline", "/course"))
