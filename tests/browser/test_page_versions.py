"""The page during a rolling update: two versions of the viz behind one proxy, which forwards each request to either."""

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from browser.world_page import WorldPage
from playwright.async_api import Browser, expect

from fixtures.nginx import require_nginx
from fixtures.processes import Processes, environment, free_port
from fixtures.sim import Sim
from fixtures.waiting import wait_until
from sector.viz.page_server import FOLDER

_NGINX = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream viz {{ server 127.0.0.1:{one}; server 127.0.0.1:{other}; }}
  map $http_upgrade $connection_header {{ default upgrade; '' ''; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://viz; proxy_http_version 1.1;
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto {proto};
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_header;
    }}
  }}
}}
"""


@contextmanager
def running(*command: str, env: dict[str, str] | None = None) -> Iterator[None]:
    """Run a program during the block."""
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


@pytest_asyncio.fixture(loop_scope="session")
async def other_version(sim: Sim, redis_url: str, tmp_path: Path) -> AsyncIterator[int]:
    """The port of a viz whose page has another version."""
    await sim.tick()
    shutil.copytree(FOLDER.parent, tmp_path / "sector" / "viz")
    with (tmp_path / "sector" / "viz" / "page" / "style.css").open("a") as style:
        style.write("/* another version */\n")
    port = free_port()
    settings = environment(REDIS_URL=redis_url, PORT=str(port))
    settings["PYTHONPATH"] = f"{tmp_path}:{settings['PYTHONPATH']}"
    with running(sys.executable, "-m", "sector.viz", env=settings):
        wait_until(lambda: httpx.get(f"http://127.0.0.1:{port}").is_success, "the other viz", errors=(httpx.HTTPError,))
        yield port


@pytest.mark.parametrize("proto", ["ws", "https"])
async def test_pages_work_while_two_versions_answer_in_turn(
    browser: Browser, other_version: int, redis_url: str, processes: Processes, tmp_path: Path, proto: str
) -> None:
    program = require_nginx()
    viz, port = processes.start("viz", REDIS_URL=redis_url), free_port()
    url = f"http://127.0.0.1:{port}"
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=tmp_path, one=viz.port, other=other_version, port=port, proto=proto))
    with running(program, "-c", str(configuration)):
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
