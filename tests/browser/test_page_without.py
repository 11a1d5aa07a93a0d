"""The page in browsers without some feature works, or shows the error and a remedy within seconds."""

import pytest
import pytest_asyncio
from browser.world_page import WorldPage
from playwright.async_api import Browser, Page, expect

from fixtures.processes import Processes, Service, free_port
from fixtures.sim import Sim
from fixtures.tokens import SECRET, create_token

_WITHIN_MS = 15_000


@pytest_asyncio.fixture(loop_scope="session")
async def viz(sim: Sim, redis_url: str, processes: Processes) -> Service:
    await sim.tick()
    return processes.start("viz", REDIS_URL=redis_url)


@pytest_asyncio.fixture(loop_scope="session")
async def polled_viz(sim: Sim, redis_url: str, processes: Processes) -> Service:
    await sim.tick()
    return processes.start("viz", REDIS_URL=redis_url, POLLING="true")


@pytest.fixture
def world_page(page: Page) -> WorldPage:
    return WorldPage(page)


REFUSE = "Object.defineProperty(window, NAME, { get() { throw new DOMException('refused', 'SecurityError'); } });"
WITHOUT_STORAGE = {
    "blocked": REFUSE.replace("NAME", "'localStorage'") + REFUSE.replace("NAME", "'sessionStorage'"),
    "full": "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };",
    "missing": "for (const name of ['localStorage', 'sessionStorage'])"
    " Object.defineProperty(window, name, { value: null });",
}


@pytest.mark.parametrize("script", WITHOUT_STORAGE.values(), ids=WITHOUT_STORAGE)
async def test_the_page_works_without_storage(
    page: Page, world_page: WorldPage, sim: Sim, redis_url: str, processes: Processes, script: str, faults: list[str]
) -> None:
    await sim.tick()
    port = free_port()
    api = processes.start("api", REDIS_URL=redis_url, CORS_ORIGINS=f"http://127.0.0.1:{port}", AUTH_SECRET=SECRET)
    viz = processes.start("viz", REDIS_URL=redis_url, PORT=str(port), API_URL=api.url)
    await page.add_init_script(script)
    await page.emulate_media(color_scheme="dark")
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await page.get_by_role("button", name="Light or dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await page.get_by_role("button", name="Play", exact=True).click()
    await page.locator("#play-token").fill(create_token("Me"))
    await page.locator("#play-token").press("Enter")
    await expect(page.locator("#play")).to_be_hidden()
    await sim.tick()
    await world_page.wait_for_tick(2)
    await expect(page.locator("#player")).to_contain_text("You play Me")
    await world_page.wait_for_state("live")
    await expect(page.locator("#alarm")).to_be_hidden()
    assert faults == []


async def says(page: Page, text: str) -> None:
    """Wait until the page shows an error."""
    await expect(page.locator("#alarm")).to_contain_text(text, timeout=_WITHIN_MS)
    await expect(page.locator("#alarm")).to_be_visible()
    await expect(page.locator("#status")).to_have_attribute("data-state", "error")


REFUSED = {
    "a canvas": (
        "HTMLCanvasElement.prototype.getContext = () => null;",
        "refuses to draw on a canvas, so there is no map. Allow canvas for this site",
    ),
    "a canvas that is not on the page": (
        "OffscreenCanvas.prototype.getContext = () => null;",
        "refuses to draw on a canvas, so there is no map. Allow canvas for this site",
    ),
    "a canvas, by an error": (
        "HTMLCanvasElement.prototype.getContext = () => { throw new Error('blocked by an extension'); };",
        "The page cannot start: blocked by an extension. Reload it, use another browser",
    ),
    "DecompressionStream": ("delete window.DecompressionStream;", "This browser has no DecompressionStream"),
    "raw deflate": (
        "window.DecompressionStream = class { constructor() { throw new TypeError('Unsupported'); } };",
        "This browser has no DecompressionStream, which the page needs. Use a current one",
    ),
    "ResizeObserver": ("delete window.ResizeObserver;", "This browser has no ResizeObserver"),
}


@pytest.mark.parametrize(("script", "text"), REFUSED.values(), ids=REFUSED)
async def test_a_missing_browser_feature_is_reported_with_a_remedy(
    page: Page, viz: Service, script: str, text: str
) -> None:
    await page.add_init_script(script)
    await page.goto(viz.url)
    await says(page, text)


HANGING = """window.WebSocket = class extends EventTarget {
  static CLOSING = 2;
  readyState = 0;
  send() {}
  close() {}
};"""
FAILING = """window.WebSocket = class {
  constructor() { setTimeout(() => this.onerror?.(new Event("error"))); }
  send() {}
  close() {}
};"""


@pytest.mark.parametrize("script", [HANGING, FAILING], ids=["hangs", "fails"])
async def test_a_refused_websocket_is_reported(page: Page, viz: Service, script: str) -> None:
    await page.add_init_script(script)
    await page.goto(viz.url)
    await says(page, "a WebSocket to it cannot be opened. A proxy, a firewall or an extension may block it")
    await expect(page.locator("#alarm")).to_contain_text("or set POLLING=true for the viz")


@pytest.mark.parametrize("script", [HANGING, FAILING], ids=["hangs", "fails"])
async def test_with_polling_allowed_the_page_works_without_a_websocket(
    page: Page, world_page: WorldPage, polled_viz: Service, sim: Sim, script: str
) -> None:
    await page.add_init_script(script)
    await page.goto(polled_viz.url)
    await world_page.wait_for_tick(1)
    await sim.tick()
    await world_page.wait_for_tick(2)
    await expect(page.locator("#alarm")).to_be_hidden()


async def test_pages_with_a_websocket_and_pages_that_poll_show_the_same_sim(
    browser: Browser, page: Page, polled_viz: Service, sim: Sim
) -> None:
    polls = await browser.new_page()
    await polls.add_init_script(FAILING)
    pages = [WorldPage(page), WorldPage(polls)]
    for each in pages:
        await each.page.goto(polled_viz.url)
        await each.wait_for_tick(1)
    for tick in (2, 3, 4):
        await sim.tick()
        for each in pages:
            await each.wait_for_tick(tick)
    await polls.close()


async def test_a_full_viz_is_reported_and_the_page_connects_later(
    browser: Browser, page: Page, world_page: WorldPage, sim: Sim, redis_url: str, processes: Processes
) -> None:
    await sim.tick()
    viz = processes.start("viz", REDIS_URL=redis_url, MAX_SPECTATORS="1")
    first = await browser.new_page()
    await first.goto(viz.url)
    await WorldPage(first).wait_for_tick(1)
    await page.goto(viz.url)
    await says(
        page, "The viz refuses to connect: the limit of 1 spectators is reached. The page tries again by itself."
    )
    await first.close()
    await world_page.wait_for_tick(1)
    await expect(page.locator("#alarm")).to_be_hidden()


async def test_an_unreachable_viz_behind_a_proxy_is_reported(page: Page, viz: Service) -> None:
    await page.add_init_script(FAILING)
    await page.route("**/connection?*", lambda route: route.fulfill(status=502, body="<html>"))
    await page.goto(viz.url)
    await says(page, "The viz is not available: 127.0.0.1:")
    await expect(page.locator("#alarm")).to_contain_text("answers 502")
