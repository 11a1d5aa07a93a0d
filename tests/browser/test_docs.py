"""The docs of the API in a real browser: they list every operation, can try one, and send requests only to the API."""

from urllib.parse import urlsplit

from playwright.async_api import Page, expect

from fixtures.processes import Processes
from fixtures.sim import Sim
from sector.api.operations import OPERATIONS


async def test_every_operation_is_shown_and_can_be_tried(
    page: Page, sim: Sim, redis_url: str, processes: Processes, faults: list[str]
) -> None:
    await sim.tick()
    api = processes.start("api", REDIS_URL=redis_url)
    requested_urls: set[str] = set()
    page.on("request", lambda request: requested_urls.add(urlsplit(request.url).netloc or request.url[:5]))
    await page.goto(f"{api.url}/docs")
    shown = page.locator(".opblock")
    await expect(shown).to_have_count(sum(2 if operation.of_sim else 1 for operation in OPERATIONS))
    await page.locator("#operations-default-get_health_live .opblock-summary").click()
    await page.get_by_role("button", name="Execute").click()
    await expect(page.locator(".responses-table.live-responses-table")).to_contain_text('"live": true')
    assert requested_urls <= {f"127.0.0.1:{api.port}", "data:"}
    assert faults == []
