"""The page in a real browser: it shows the world, live, and says so when it cannot."""

import pytest
from playwright.async_api import Browser, Page, expect
from redis.asyncio import Redis

from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from sector.models import Join, Note, Snapshot
from sector.state import sims
from sector.world import SectorWorld

_COLOURS = """() => {
  const canvas = document.getElementById("map");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 250) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
  return [...seen];
}"""

_COUNT_PICTURES = """
  window.pictures = new Set();
  (function look() {
    if (document.body?.dataset.tick) window.pictures.add(document.getElementById("map").toDataURL());
    requestAnimationFrame(look);
  })();
"""
_STILL = """() => {
  const now = document.getElementById("map").toDataURL();
  window.sameFrames = now === window.lastDrawn ? window.sameFrames + 1 : 0;
  window.lastDrawn = now;
  return window.sameFrames >= 40;
}"""


@pytest.fixture
async def viz(sim: Sim, redis_url: str, processes: Processes) -> Service:
    await sim.tick()
    return processes.start("viz", REDIS_URL=redis_url)


async def at_tick(page: Page, tick: int) -> None:
    await expect(page.locator("body")).to_have_attribute("data-tick", str(tick))


async def snapshot(sim: Sim) -> Snapshot:
    return Snapshot.model_validate((await sim.reader.view()).rows(), strict=False)


def rgb(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))


async def test_it_shows_the_world_and_each_tick_as_it_comes(
    page: Page, viz: Service, sim: Sim, faults: list[str]
) -> None:
    await page.goto(viz.url)
    await at_tick(page, 1)
    await expect(page.locator("#sim")).to_have_text("default · tick 1")
    await expect(page.locator("#factions tr")).to_have_count(1)
    for tick in (2, 3, 4):
        await sim.tick()
        await at_tick(page, tick)
    await expect(page.locator("#status")).to_have_attribute("data-state", "live")
    await expect(page.locator("#status")).to_contain_text("live")
    assert faults == []


async def test_an_order_shows_in_the_table_the_events_and_the_colours_of_the_map(
    page: Page, viz: Service, sim: Sim, faults: list[str]
) -> None:
    await page.goto(viz.url)
    await at_tick(page, 1)
    await sim.tick(Join(faction="Newcomer"), Note(faction="Newcomer", text="<b>hello</b> & <script>alert(1)</script>"))
    row = page.locator("#factions tr", has_text="Newcomer")
    await expect(row.locator("td").nth(1)).to_have_text("1")
    await expect(page.locator("#events li", has_text="Newcomer enters at")).to_have_count(1)
    await expect(page.locator("#events li").first).to_contain_text("Newcomer: <b>hello</b> & <script>alert(1)</script>")
    (colour,) = (rgb(faction.colour) for faction in (await snapshot(sim)).factions if faction.id == "Newcomer")
    await page.wait_for_function(f"(() => {{ const seen = ({_COLOURS})(); return seen.includes('{colour}'); }})")
    assert faults == []


async def pictures(page: Page, viz: Service) -> int:
    """Return how many different ones are drawn until nothing moves, after the world is loaded."""
    await page.add_init_script(_COUNT_PICTURES)
    await page.goto(viz.url)
    await drawn(page)
    return int(await page.evaluate("window.pictures.size"))


async def test_fleets_glide_between_ticks(page: Page, viz: Service, sim: Sim) -> None:
    while not (await snapshot(sim)).fleets:
        await sim.tick()
    assert await pictures(page, viz) > 5


async def test_a_world_without_fleets_is_drawn_but_does_not_move(
    page: Page, redis: Redis, redis_url: str, processes: Processes
) -> None:
    await sims.found(redis, "default", SectorWorld(), CONFIG)
    assert 1 <= await pictures(page, processes.start("viz", REDIS_URL=redis_url)) <= 3


async def test_when_the_viz_is_gone_it_says_so_and_when_it_is_back_it_goes_on_by_itself(
    page: Page, viz: Service, sim: Sim, redis_url: str, processes: Processes
) -> None:
    await page.goto(viz.url)
    await at_tick(page, 1)
    viz.end()
    await expect(page.locator("#status")).to_have_text("connection lost at tick 1; reconnecting …")
    await sim.tick()
    await sim.tick()
    processes.start("viz", REDIS_URL=redis_url, PORT=str(viz.port), wait=False)
    await at_tick(page, 3)
    await sim.tick()
    await at_tick(page, 4)
    await expect(page.locator("#status")).to_contain_text("live")


async def test_a_world_that_stands_still_is_said_to(page: Page, viz: Service) -> None:
    await page.goto(viz.url)
    await at_tick(page, 1)
    await expect(page.locator("#status")).to_contain_text("no tick for", timeout=20_000)


async def drawn(page: Page) -> str:
    """Return what is drawn, once it has not changed for forty frames."""
    await page.evaluate("window.sameFrames = 0")
    await page.wait_for_function(_STILL)
    return str(await page.evaluate("window.lastDrawn"))


async def test_the_map_pans_zooms_and_fits_again(page: Page, viz: Service) -> None:
    await page.goto(viz.url)
    await at_tick(page, 1)
    fitted = await drawn(page)
    await page.mouse.move(400, 400)
    await page.mouse.wheel(0, -600)
    zoomed = await drawn(page)
    await page.mouse.down()
    await page.mouse.move(300, 300, steps=4)
    await page.mouse.up()
    panned = await drawn(page)
    assert len({fitted, zoomed, panned}) == 3
    await page.locator("#map").press("0")
    assert await drawn(page) == fitted


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_nothing_sticks_out_on_a_phone_or_a_desk(browser: Browser, viz: Service, width: int, scheme: str) -> None:
    page = await browser.new_page(
        viewport={"width": width, "height": 740}, color_scheme="dark" if scheme == "dark" else "light"
    )
    await page.goto(viz.url)
    await at_tick(page, 1)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await expect(page.locator("#status")).to_be_in_viewport()
    await expect(page.locator("#map")).to_be_in_viewport()
    await page.close()
