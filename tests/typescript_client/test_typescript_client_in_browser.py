"""The TypeScript client in a page of another origin than the API, as a browser loads it without a bundler."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from fixtures.processes import Processes
from fixtures.requires import require_program
from fixtures.sim import LONG
from fixtures.tokens import SECRET, create_token

_PLAY = """async ({ url, token }) => {
  const { ApiError, Client } = await import("/dist/browser.js");
  const client = new Client(url, { token });
  const statuses = [];
  const watching = new Client(url, { token, fetch: async (request) => {
    const response = await fetch(request);
    statuses.push(response.status);
    return response;
  } });
  const { tick, systems } = await watching.snapshot();
  while (statuses.at(-1) !== 304) await watching.snapshot();
  const order = { type: "note", faction: "Crimson", text: "from a browser" };
  const { status } = await client.orderStatus(await client.order(order), { waitMs: 20_000 });
  let text = "";
  for await (const event of client.follow({ after: `${tick}-0`, types: ["note"] })) {
    text = event.text;
    break;
  }
  let problem = {};
  try {
    await client.order({ ...order, faction: "Azure" });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem = error.problem;
  }
  return { systems: systems.length, status, text, problem: problem.status };
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name of the base class)
        """Log nothing."""


@pytest.fixture
def origin(program: Path) -> Iterator[str]:
    """The origin of a page that has the files of the package."""
    handler = functools.partial(_Quiet, directory=str(program / "node_modules/sector-client"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


async def test_a_page_plays(origin: str, redis_url: str, processes: Processes) -> None:
    chromium = require_program("chromium", "chromium-browser", "google-chrome", hint="apt-get install chromium")
    processes.start("worker", REDIS_URL=redis_url, TICK_DELAY="0.2", SIM_CONFIG=LONG.model_dump_json())
    api = processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET, CORS_ORIGINS=origin)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page()
        await page.goto(f"{origin}/README.md")
        result = await page.evaluate(_PLAY, {"url": api.url, "token": create_token("Crimson")})
        await browser.close()
    assert result == {"systems": LONG.systems, "status": "applied", "text": "from a browser", "problem": 403}
