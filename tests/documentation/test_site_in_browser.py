"""The site in a real browser: nothing comes from another host, diagrams are drawn, and the search finds answers."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fixtures.requires import require_program

expect.set_options(timeout=20_000)

ANSWERS = {
    "rotate a signing key": "Rotate a signing key",
    "what an acknowledged order survives": "Durability",
    "why WATCH is a fence": "Why WATCH is a fence",
    "how to add a setting": "Add a setting",
    "run one test": "Run one test",
    "reset the world": "Reset a world",
    "run without Docker": "Without containers",
    "behind nginx": "Behind a proxy: nginx",
    "limit orders per player": "Limits",
    "what is a keyframe": "What a keyframe is",
    "why 429": "why the API rejects requests",
    "delete a sim": "Manage sims",
}
"""Questions of newcomers, and the heading of a useful answer."""


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Log nothing."""


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The URL of the site."""
    handler = functools.partial(_QuietHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for this file: while it runs, so does its event loop, and no other test could run one."""
    path = require_program("chromium", "chromium-browser", "google-chrome", hint="apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def hosts() -> set[str]:
    """The hosts to which the page sends requests."""
    return set()


@pytest.fixture
def page(browser: Browser, hosts: set[str]) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    yield page
    page.close()


PAGES_WITH_DIAGRAMS = [path for path in sorted(Path("docs").rglob("*.md")) if "```mermaid" in path.read_text()]


@pytest.mark.parametrize("path", PAGES_WITH_DIAGRAMS, ids=str)
def test_diagrams_are_drawn_without_another_host(page: Page, address: str, hosts: set[str], path: Path) -> None:
    page.goto(f"{address}/{path.relative_to('docs').with_suffix('').as_posix()}/")
    # The theme replaces the text with a drawing. After an error of Mermaid, the text stays.
    expect(page.locator("div.mermaid")).to_have_count(path.read_text().count("```mermaid"))
    expect(page.locator("pre.mermaid")).to_have_count(0)
    assert hosts <= {urlsplit(address).netloc, ""}


@pytest.mark.parametrize(("question", "heading"), ANSWERS.items())
def test_the_search_answers_a_newcomer(page: Page, address: str, hosts: set[str], question: str, heading: str) -> None:
    page.goto(address)
    page.keyboard.press("/")
    field = page.locator("dialog input").first
    # (on a busy machine, characters that are typed one by one are lost)
    expect(field).to_be_focused()
    field.fill(question)
    expect(page.locator("dialog a", has_text=heading).first).to_be_visible()
    assert hosts <= {urlsplit(address).netloc, ""}
