"""The page in a real browser shows the world live, and reports when it cannot."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from browser.world_page import WorldPage
from playwright.async_api import Browser, Page, expect
from redis.asyncio import Redis

from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from sector.models import Join, Note, Puppet, SimConfig, Snapshot
from sector.state.sims import lifecycle
from sector.world import SectorWorld

_THOUSAND = SimConfig(
    seed=7, systems=1_000, homes=8, puppets=tuple(Puppet(faction=name) for name in ("Crimson", "Azure", "Verdant"))
)


@pytest_asyncio.fixture(loop_scope="session")
async def viz(sim: Sim, redis_url: str, processes: Processes) -> Service:
    await sim.tick()
    return processes.start("viz", REDIS_URL=redis_url)


@pytest.fixture
def world_page(page: Page) -> WorldPage:
    return WorldPage(page)


async def snapshot(sim: Sim) -> Snapshot:
    return Snapshot.model_validate((await sim.reader.view()).rows(), strict=False)


async def wait_until(look: Callable[[], Awaitable[bool]], what: str, timeout_s: float = 15) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not await look():
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.05)


async def test_the_page_shows_the_world_and_each_new_tick(
    page: Page, world_page: WorldPage, viz: Service, sim: Sim, faults: list[str]
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await expect(page.locator("#sims")).to_have_value("default")
    await expect(page.locator("#factions tr")).to_have_count(1)
    for tick in (2, 3, 4):
        await sim.tick()
        await world_page.wait_for_tick(tick)
    await world_page.wait_for_state("live")
    await expect(page.locator("#worker")).to_have_text("test")
    await expect(page.locator("#latency")).to_contain_text("ms")
    assert await world_page.read_owners() == [system.owner for system in (await snapshot(sim)).systems]
    assert faults == []


async def test_after_many_ticks_the_page_has_the_state_in_redis(
    page: Page, world_page: WorldPage, viz: Service, sim: Sim, faults: list[str]
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    for tick in range(2, 32):
        await sim.tick(Join(faction="Me") if tick == 9 else Note(faction="Crimson", text="go"))
    await world_page.wait_for_tick(31)
    now = await snapshot(sim)
    page_tables = await world_page.read_tables()
    assert page_tables["ships"] == [system.ships for system in now.systems]
    assert page_tables["fleets"] == [
        [int(fleet.id[1:]), fleet.ships, int(fleet.origin[1:]), int(fleet.target[1:]), fleet.departed, fleet.arrives]
        for fleet in now.fleets
    ]
    assert page_tables["factions"] == [[faction.id, faction.supply] for faction in now.factions]
    assert faults == []


async def test_a_thousand_systems_get_more_names_when_zooming_in(
    page: Page, world_page: WorldPage, redis: Redis, redis_url: str, processes: Processes, faults: list[str]
) -> None:
    sim = await Sim.create(redis, _THOUSAND)
    await sim.tick(times=100)
    viz = processes.start("viz", REDIS_URL=redis_url)
    await page.goto(viz.url)
    await world_page.wait_for_tick(100)
    far, near = [await world_page.named_share(scale) for scale in (3, 30)]
    assert far < 0.4 < 0.8 < near
    assert faults == []


async def test_an_order_changes_the_table_the_event_log_and_the_map(
    page: Page, world_page: WorldPage, viz: Service, sim: Sim, faults: list[str]
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await sim.tick(Join(faction="Newcomer"), Note(faction="Newcomer", text="<b>hello</b> & <script>alert(1)</script>"))
    row = page.locator("#factions tr", has_text="Newcomer")
    await expect(row.locator("td").nth(0)).to_have_text("1")
    await expect(page.locator("#events li", has_text="Newcomer enters at")).to_have_count(1)
    await expect(page.locator("#events li").first).to_contain_text("Newcomer: <b>hello</b> & <script>alert(1)</script>")
    (colour,) = (faction.colour for faction in (await snapshot(sim)).factions if faction.id == "Newcomer")
    rgb = ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))

    async def drawn() -> bool:
        return rgb in await world_page.read_colours()

    await wait_until(drawn, f"no {rgb} on the map")
    assert faults == []


async def test_a_note_appears_at_its_system(page: Page, world_page: WorldPage, viz: Service, sim: Sim) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await sim.tick(Join(faction="Me"), Note(faction="Crimson", text="Here be dragons", system="S5"))
    await world_page.wait_for_tick(2)
    assert ["note", "Here be dragons"] in (await world_page.read_drawing())["effects"]  # type: ignore[operator]  # (a list)
    await expect(page.locator("#events li").first).to_contain_text("Here be dragons — at")


async def test_fleets_move_smoothly_between_ticks(page: Page, world_page: WorldPage, viz: Service, sim: Sim) -> None:
    while not (await snapshot(sim)).fleets:
        await sim.tick()
    await page.goto(viz.url)
    await world_page.wait_for_state("live")
    before = await world_page.read_drawing()
    assert before["fleets"] == len((await snapshot(sim)).fleets)
    # Each tick is drawn at least once, and moving fleets several times.
    ticks, after = 0, before
    while int(str(after["frames"])) - int(str(before["frames"])) <= ticks + 5:
        await sim.tick()
        ticks += 1
        await asyncio.sleep(0.2)
        after = await world_page.read_drawing()
        assert ticks < 100


async def test_an_unchanged_world_is_not_drawn_again(
    page: Page, world_page: WorldPage, redis: Redis, redis_url: str, processes: Processes
) -> None:
    await lifecycle.create(redis, "default", SectorWorld(), CONFIG)
    await page.goto(processes.start("viz", REDIS_URL=redis_url).url)
    await world_page.wait_for_tick(0)
    await page.wait_for_timeout(500)
    before = (await world_page.read_drawing())["frames"]
    await page.wait_for_timeout(500)
    assert (await world_page.read_drawing())["frames"] == before


async def test_the_page_reconnects_after_the_viz_was_killed(
    page: Page, world_page: WorldPage, viz: Service, sim: Sim, redis_url: str, processes: Processes
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await page.evaluate("window.isTheSamePage = true")
    viz.process.kill()
    await world_page.wait_for_state("lost")
    # After 3 s the alarm also has the reason.
    alarm = re.compile(r"^The connection is lost; reconnecting … (.+ )?The page shows tick 1\.$")
    await expect(page.locator("#alarm")).to_have_text(alarm)
    await sim.tick(times=2)
    processes.start("viz", REDIS_URL=redis_url, PORT=str(viz.port), wait=False)
    await world_page.wait_for_tick(3)
    await sim.tick()
    await world_page.wait_for_tick(4)
    await world_page.wait_for_state("live")
    await expect(page.locator("#alarm")).to_be_hidden()
    assert await page.evaluate("window.isTheSamePage")


async def test_a_world_without_ticks_is_shown_as_stale(page: Page, world_page: WorldPage, viz: Service) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await world_page.wait_for_state("stale")
    await expect(page.locator("#alarm")).to_contain_text("no tick for")


async def test_a_system_is_found_by_name_with_the_keyboard_and_shows_its_details(
    page: Page, world_page: WorldPage, viz: Service, sim: Sim, faults: list[str]
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    now = await snapshot(sim)
    await world_page.select_system(7)
    story = page.locator("#details")
    await expect(story).to_contain_text(f"{now.systems[7].growth} ships a tick")
    await page.keyboard.press("/")
    await page.keyboard.type(now.systems[12].name.lower())
    await expect(page.locator("#search-results li").first).to_contain_text(now.systems[12].name)
    await page.keyboard.press("Enter")
    await expect(story.locator("h2")).to_have_text(f"{now.systems[12].name} S12")
    owner = now.systems[12].owner or "no owner"
    await expect(story.locator("dd").first).to_have_text(owner)
    assert faults == []


async def test_events_are_filtered_by_kind_and_by_faction(
    page: Page, world_page: WorldPage, viz: Service, sim: Sim
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await sim.tick(Join(faction="Me"), Note(faction="Crimson", text="one"), Note(faction="Me", text="two"))
    events = page.locator("#events li")
    await expect(events.filter(has_text="Me enters")).to_have_count(1)
    await page.get_by_role("button", name="Notes").click()
    await expect(events.filter(has_text=": one")).to_have_count(0)
    await page.get_by_role("button", name="Notes").click()
    await page.locator("#filters select").select_option("Me")
    await expect(events.filter(has_text=": two")).to_have_count(1)
    await expect(events.filter(has_text=": one")).to_have_count(0)


async def test_the_map_pans_zooms_and_fits_again(
    page: Page, world_page: WorldPage, viz: Service, faults: list[str]
) -> None:
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    fitted = await world_page.read_drawing()
    await page.mouse.move(400, 400)
    await page.mouse.wheel(0, -600)
    zoomed = await world_page.read_drawing()
    assert zoomed["scale"] > fitted["scale"]  # type: ignore[operator]  # (numbers)
    await page.mouse.move(402, 640)
    await page.mouse.down()
    await page.mouse.move(300, 540, steps=4)
    await page.mouse.up()
    panned = await world_page.read_drawing()
    assert (panned["scale"], panned["view"]) != (zoomed["scale"], zoomed["view"])
    assert panned["scale"] == zoomed["scale"]
    await page.keyboard.press("Tab")
    await page.locator("#fleet-layer").focus()
    await page.keyboard.press("0")
    assert (await world_page.read_drawing())["view"] == fitted["view"]
    assert faults == []


async def test_two_fingers_zoom_on_a_phone(browser: Browser, viz: Service) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = await context.new_page()
    world_page = WorldPage(page)
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    before = await world_page.read_drawing()
    session = await context.new_cdp_session(page)
    for kind, spread in (("touchStart", 20), ("touchMove", 60), ("touchMove", 120), ("touchEnd", 0)):
        points = [{"x": 195 + side * spread, "y": 220, "id": side} for side in (-1, 1)] if spread else []
        await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert (await world_page.read_drawing())["scale"] > 2 * before["scale"]  # type: ignore[operator]  # (numbers)
    await page.get_by_role("tab", name="Events").click()
    await expect(page.locator("#events")).to_be_visible()
    await expect(page.locator("#factions")).to_be_hidden()
    await page.get_by_role("tab", name="Factions").click()
    await expect(page.locator("#factions")).to_be_visible()
    await expect(page.locator("#events")).to_be_hidden()
    await context.close()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [390, 1400])
async def test_the_page_is_accessible(browser: Browser, viz: Service, sim: Sim, scheme: str, width: int) -> None:
    """axe-core finds no serious issue, with a selected system and with an error."""
    page = await browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]  # (one of its literals)
    world_page = WorldPage(page)
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await sim.tick(Join(faction="Me"), Note(faction="Me", text="hello", system="S3"))
    await world_page.wait_for_tick(2)
    await world_page.select_system(4)
    for state in ("live", "stale"):
        await world_page.wait_for_state(state)
        axe_report = await Axe().run(page)
        serious = [each for each in axe_report.response["violations"] if each["impact"] in ("serious", "critical")]
        assert serious == [], [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious]
    await page.close()


async def test_the_selected_theme_is_stored(page: Page, world_page: WorldPage, viz: Service) -> None:
    await page.emulate_media(color_scheme="dark")
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await page.get_by_role("button", name="Light or dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await page.reload()
    await world_page.wait_for_tick(1)
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert "245,247,252" in await world_page.read_colours()
