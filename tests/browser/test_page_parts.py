"""If parts of the page do not load, it recovers by itself or shows what to do."""

from collections import Counter

import pytest
import pytest_asyncio
from browser.world_page import WorldPage
from playwright.async_api import Page, Route, expect

from fixtures.processes import Processes, Service
from fixtures.sim import Sim


@pytest_asyncio.fixture(loop_scope="session")
async def viz(sim: Sim, redis_url: str, processes: Processes) -> Service:
    await sim.tick()
    return processes.start("viz", REDIS_URL=redis_url)


@pytest.fixture
def world_page(page: Page) -> WorldPage:
    return WorldPage(page)


async def says(page: Page, text: str, *, within_ms: int = 15_000) -> None:
    """Wait until the page shows an error."""
    await expect(page.locator("#alarm")).to_contain_text(text, timeout=within_ms)
    await expect(page.locator("#alarm")).to_be_visible()
    await expect(page.locator("#status")).to_have_attribute("data-state", "error")


@pytest_asyncio.fixture(loop_scope="session")
async def first_answers_404(page: Page) -> Counter[str]:
    """The first request for each module reaches a process of another version, as during a rolling update."""
    requests: Counter[str] = Counter()

    async def answer(route: Route) -> None:
        requests[route.request.url] += 1
        if requests[route.request.url] == 1:
            await route.fulfill(status=404, json={})
        else:
            await route.continue_()

    await page.route(lambda url: "/static/" in url and not url.endswith("/boot.js"), answer)
    return requests


async def test_a_page_with_parts_of_another_version_recovers(
    page: Page, world_page: WorldPage, viz: Service, first_answers_404: Counter[str]
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await world_page.wait_for_state("stale")
    assert len(first_answers_404) > 40
    assert await page.evaluate("history.state") is None


@pytest.mark.parametrize("pattern", ["**/static/*/main.js", "**/static/*/vendor/*.js"])
async def test_a_missing_part_is_reported_and_the_reloads_end(page: Page, viz: Service, pattern: str) -> None:
    loads: list[str] = []
    page.on("domcontentloaded", lambda _: loads.append(""))
    await page.route(pattern, lambda route: route.fulfill(status=404, json={}))
    await page.goto(viz.url)
    await says(page, "Parts of this page cannot be loaded, probably because the viz is being updated")
    await says(page, "4 reloads did not help. Reload the page in a minute", within_ms=60_000)
    assert len(loads) == 5


async def test_without_any_part_the_page_says_what_to_do(page: Page, viz: Service) -> None:
    await page.route("**/static/**", lambda route: route.fulfill(status=404, json={}))
    await page.goto(viz.url, wait_until="commit")
    await expect(page.locator("#alarm")).to_be_visible()
    await expect(page.locator("#alarm")).to_contain_text("reload the page in a minute")


async def test_a_page_that_starts_normally_shows_no_alarm(page: Page, viz: Service) -> None:
    await page.add_init_script(
        "window.alarms = 0; new MutationObserver(() => {"
        " const alarm = document.getElementById('alarm');"
        " if (alarm && getComputedStyle(alarm).visibility === 'visible' && !alarm.hidden && document.styleSheets.length > 3)"
        " window.alarms++; }).observe(document, { subtree: true, childList: true, attributes: true });"
    )
    await page.goto(viz.url)
    await WorldPage(page).wait_for_tick(1)
    assert await page.evaluate("window.alarms") == 0
