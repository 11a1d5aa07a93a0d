"""The page in browsers that refuse it something: it works without, or says within seconds what is wrong, and what to do."""

import pytest
from browser.watched import Watched
from playwright.async_api import Page, expect

from fixtures.processes import Processes, free_port
from fixtures.sim import Sim
from fixtures.tokens import SECRET, token


@pytest.fixture
def watched(page: Page) -> Watched:
    return Watched(page)


REFUSE = "Object.defineProperty(window, NAME, { get() { throw new DOMException('refused', 'SecurityError'); } });"
WITHOUT_STORAGE = {
    "blocked": REFUSE.replace("NAME", "'localStorage'") + REFUSE.replace("NAME", "'sessionStorage'"),
    "full": "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };",
    "missing": "for (const name of ['localStorage', 'sessionStorage'])"
    " Object.defineProperty(window, name, { value: null });",
}


@pytest.mark.parametrize("script", WITHOUT_STORAGE.values(), ids=WITHOUT_STORAGE)
async def test_it_works_without_storage(
    page: Page, watched: Watched, sim: Sim, redis_url: str, processes: Processes, script: str, faults: list[str]
) -> None:
    await sim.tick()
    port = free_port()
    api = processes.start("api", REDIS_URL=redis_url, CORS_ORIGINS=f"http://127.0.0.1:{port}", AUTH_SECRET=SECRET)
    viz = processes.start("viz", REDIS_URL=redis_url, PORT=str(port), API_URL=api.url)
    await page.add_init_script(script)
    await page.emulate_media(color_scheme="dark")
    await page.goto(viz.url)
    await watched.at_tick(1)
    await page.get_by_role("button", name="Light or dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await page.get_by_role("button", name="Play", exact=True).click()
    await page.locator("#play-token").fill(token("Me"))
    await page.locator("#play-token").press("Enter")
    await expect(page.locator("#play")).to_be_hidden()
    await sim.tick()
    await watched.at_tick(2)
    await expect(page.locator("#player")).to_contain_text("You play Me")
    await watched.in_state("live")
    await expect(page.locator("#alarm")).to_be_hidden()
    assert faults == []
