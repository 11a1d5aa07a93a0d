"""The page shows any tick of the history, continues from there, and returns. A link shows the same tick."""

import re

import pytest
import pytest_asyncio
from browser.world_page import WorldPage
from playwright.async_api import Browser, Page, expect
from redis.asyncio import Redis

from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from sector.models import Join
from sector.models.rows import table_rows
from sector.state.history import history
from sector.state.sims import lifecycle
from sector.world import SectorWorld


@pytest_asyncio.fixture(loop_scope="session")
async def viz(sim: Sim, redis_url: str, processes: Processes) -> Service:
    await sim.tick(Join(faction="Me"), times=17)
    await sim.tick(times=22)
    return processes.start("viz", REDIS_URL=redis_url)


@pytest.fixture
def world_page(page: Page) -> WorldPage:
    return WorldPage(page)


async def owners_at(redis: Redis, tick: int) -> list[object]:
    past = await history.at_tick(redis, "default", tick)
    return [row["owner"] for row in table_rows([past.frame])["systems"]]


async def scrub(page: Page, tick: int) -> None:
    await page.locator("#scrubber").fill(str(tick))


async def test_scrubbing_to_a_tick_shows_the_owners_at_that_tick(
    page: Page, world_page: WorldPage, viz: Service, sim: Sim, redis: Redis, faults: list[str]
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(39)
    await expect(page.locator("#scrubber")).to_have_attribute("min", "25")
    now = await world_page.read_owners()
    for tick in (26, 33):
        await scrub(page, tick)
        await world_page.wait_for_tick(tick)
        assert await world_page.read_owners() == await owners_at(redis, tick)
    assert await world_page.read_owners() != now
    await world_page.wait_for_state("past")
    # The world continues, and the picture does not change.
    await sim.tick()
    await expect(page.locator("#scrubber")).to_have_attribute("max", "40")
    await world_page.wait_for_tick(33)
    await page.locator("#live").click()
    await world_page.wait_for_tick(40)
    await world_page.wait_for_state("live")
    assert faults == []


async def test_step_pause_and_play_until_live(
    page: Page, world_page: WorldPage, viz: Service, redis: Redis, faults: list[str]
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(39)
    await page.get_by_role("button", name="Pause").click()
    await world_page.wait_for_tick(38)
    await page.get_by_role("button", name="Previous tick").click()
    await world_page.wait_for_tick(37)
    await page.locator("#fleet-layer").focus()
    await page.keyboard.press(",")
    await world_page.wait_for_tick(36)
    await page.keyboard.press(".")
    await world_page.wait_for_tick(37)
    assert await world_page.read_owners() == await owners_at(redis, 37)
    await scrub(page, 28)
    await world_page.wait_for_tick(28)
    await page.locator("#speed").select_option("16")
    await page.locator("#play-pause").click()
    await world_page.wait_for_tick(39)
    await expect(page.locator("#live")).to_have_attribute("aria-pressed", "true")
    assert faults == []


async def test_seek_to_the_next_and_previous_battle(page: Page, world_page: WorldPage, viz: Service, sim: Sim) -> None:
    page_of = await sim.reader.events((0, 0), 10_000, lambda event: event["type"] == "battle")
    ticks = sorted({int(str(event["tick"])) for event in page_of.events if int(str(event["tick"])) >= 25})
    assert len(ticks) > 1
    await page.goto(viz.url)
    await world_page.wait_for_tick(39)
    await page.get_by_role("button", name="Previous battle").click()
    last = max(tick for tick in ticks if tick < 39)
    await world_page.wait_for_tick(last)
    await page.get_by_role("button", name="Previous battle").click()
    before = max(tick for tick in ticks if tick < last)
    await world_page.wait_for_tick(before)
    await page.get_by_role("button", name="Next battle").click()
    await world_page.wait_for_tick(last)
    await expect(page.locator("#events li[data-type=battle]").first).to_be_visible()


async def test_a_shared_link_shows_the_same_sim_tick_and_view(
    page: Page, browser: Browser, world_page: WorldPage, viz: Service, faults: list[str]
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(39)
    await scrub(page, 30)
    await world_page.wait_for_tick(30)
    await page.mouse.move(500, 400)
    await page.mouse.wheel(0, -500)
    await expect(page).to_have_url(re.compile("view="))
    shown = await world_page.read_drawing()
    link = page.url
    assert "sim=default&tick=30&view=" in link
    friend = await browser.new_page(viewport={"width": 1200, "height": 800})
    await friend.goto(link)
    theirs = WorldPage(friend)
    await theirs.wait_for_tick(30)
    assert (await theirs.read_drawing())["view"] == pytest.approx(shown["view"], abs=0.02)
    assert await theirs.read_owners() == await world_page.read_owners()
    await friend.close()
    assert faults == []


async def test_a_tick_outside_the_history_is_reported(page: Page, world_page: WorldPage, viz: Service) -> None:
    await page.goto(f"{viz.url}/#sim=default&tick=3")
    await expect(page.locator("#alarm")).to_contain_text("tick 3 of sim 'default' is not in its history")
    await world_page.wait_for_tick(39)


async def test_another_sim_can_be_selected_and_has_its_own_ticks(
    page: Page, world_page: WorldPage, viz: Service, sim: Sim, redis: Redis, faults: list[str]
) -> None:
    await lifecycle.create(redis, "other", SectorWorld(), CONFIG)
    await page.goto(viz.url)
    await world_page.wait_for_tick(39)
    await page.locator("#sims").focus()
    await expect(page.locator("#sims option")).to_have_count(2)
    await page.locator("#sims").select_option("other")
    await world_page.wait_for_tick(0)
    await sim.tick()
    await expect(page).to_have_url(re.compile("#sim=other$"))
    await page.locator("#sims").select_option("default")
    await world_page.wait_for_tick(40)
    assert faults == []
