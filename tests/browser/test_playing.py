"""Playing from the page with a real API, with a token or without."""

import pytest
import pytest_asyncio
from browser.world_page import WorldPage
from playwright.async_api import Page, expect

from fixtures.processes import Processes, Service, free_port
from fixtures.sim import Sim
from fixtures.tokens import SECRET, create_token
from sector.models import Join, Snapshot


@pytest.fixture
def world_page(page: Page) -> WorldPage:
    return WorldPage(page)


async def start(sim: Sim, redis_url: str, processes: Processes, secret: str = "") -> Service:
    """Start an API, and a viz whose page uses it; returns the viz."""
    await sim.tick()
    port = free_port()
    api = processes.start("api", REDIS_URL=redis_url, CORS_ORIGINS=f"http://127.0.0.1:{port}", AUTH_SECRET=secret)
    return processes.start("viz", REDIS_URL=redis_url, PORT=str(port), API_URL=api.url)


async def snapshot(sim: Sim) -> Snapshot:
    return Snapshot.model_validate((await sim.reader.view()).rows(), strict=False)


async def ordered(sim: Sim, page: Page, status: str, text: str) -> None:
    """Tick until an order has this status on the page, and the map shows that tick: the order list may be ahead."""
    order = page.locator(f"#orders li[data-status={status}]", has_text=text)
    for _ in range(20):
        await sim.tick()
        try:
            await expect(order.first).to_be_visible(timeout=1_000)
            break
        except AssertionError:
            continue
    await expect(order.first).to_be_visible()
    await WorldPage(page).wait_for_tick((await snapshot(sim)).tick)


async def enter(page: Page, faction: str, its_token: str = "") -> None:
    await page.get_by_role("button", name="Play", exact=True).click()
    if its_token:
        await page.locator("#play-token").fill(its_token)
    else:
        await page.locator("#play-faction").fill(faction)
        await expect(page.locator("#play-token")).to_be_hidden()
    await expect(page.locator("#play-faction")).to_have_value(faction)
    await page.locator("#play-go").click()


async def test_a_player_joins_an_open_world_sends_ships_and_claims(
    page: Page, world_page: WorldPage, sim: Sim, redis_url: str, processes: Processes, faults: list[str]
) -> None:
    viz = await start(sim, redis_url, processes)
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await enter(page, "Me")
    await ordered(sim, page, "applied", "Enter as Me")
    now = await snapshot(sim)
    (home,) = (row for row, system in enumerate(now.systems) if system.owner == "Me")
    beside = [
        int((lane.b if lane.a == f"S{home}" else lane.a)[1:]) for lane in now.lanes if f"S{home}" in (lane.a, lane.b)
    ]
    target = next(row for row in beside if now.systems[row].owner is None)
    await world_page.wait_for_state("live")
    await page.mouse.move(*await world_page.locate_system(home))
    await page.mouse.down()
    await page.mouse.move(*await world_page.locate_system(target), steps=8)
    await page.mouse.up()
    words = f"from {now.systems[home].name} to {now.systems[target].name}"
    await expect(page.locator("#orders li", has_text=words)).to_be_visible()
    await ordered(sim, page, "applied", words)
    fleets = [fleet for fleet in (await snapshot(sim)).fleets if fleet.owner == "Me"]
    assert [(fleet.origin, fleet.target) for fleet in fleets] == [(f"S{home}", f"S{target}")]
    assert fleets[0].ships == now.systems[home].ships // 2

    # The supply for a claim takes some ticks.
    await sim.tick(times=15)
    now = await snapshot(sim)
    other = next(row for row in beside if row != target and now.systems[row].owner is None)
    await world_page.wait_for_tick(now.tick)
    await world_page.select_system(other)
    await page.get_by_role("button", name="Claim").click()
    text = f"Claim {now.systems[other].name}"
    await expect(page.locator("#orders li", has_text=text)).to_be_visible()
    await ordered(sim, page, "applied", text)
    assert (await snapshot(sim)).systems[other].owner == "Me"
    assert faults == []


async def test_a_rejected_order_shows_the_reason(
    page: Page, world_page: WorldPage, sim: Sim, redis_url: str, processes: Processes
) -> None:
    viz = await start(sim, redis_url, processes)
    await sim.tick(Join(faction="Me"))
    await page.goto(viz.url)
    await world_page.wait_for_tick(2)
    await enter(page, "Me")
    home = (await world_page.read_owners()).index("Me")
    await world_page.select_system(home)
    # The forms are created again once the page has loaded the costs.
    await expect(page.get_by_role("button", name="supply each")).to_be_visible()
    await page.get_by_label("Ships to muster").fill("100000")
    await page.get_by_role("button", name="Muster").click()
    await expect(page.locator("#orders li[data-status=pending]")).to_be_visible()
    await ordered(sim, page, "rejected", "supply")
    await page.get_by_label("Ships to muster").fill("1")
    await page.get_by_role("button", name="Muster").click()
    await ordered(sim, page, "applied", "Muster 1 at")


async def test_a_token_allows_only_its_own_faction(
    page: Page, world_page: WorldPage, sim: Sim, redis_url: str, processes: Processes
) -> None:
    viz = await start(sim, redis_url, processes, SECRET)
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await enter(page, "Me", create_token("Me"))
    await ordered(sim, page, "applied", "Enter as Me")
    await page.reload()
    await expect(page.locator("#player")).to_contain_text("You play Me")
    await page.get_by_role("button", name="Leave").click()
    await page.get_by_role("button", name="Play", exact=True).click()
    await page.locator("#play-token").fill(create_token("Me"))
    await page.locator("#play-faction").fill("Somebody")
    await page.locator("#play-go").click()
    await expect(page.locator("#play-error")).to_contain_text("this token does not allow faction Somebody")


@pytest.mark.parametrize("field", ["#play-token", "#play-faction"])
async def test_enter_submits_the_join_dialog(
    page: Page, world_page: WorldPage, sim: Sim, redis_url: str, processes: Processes, field: str, faults: list[str]
) -> None:
    viz = await start(sim, redis_url, processes, SECRET)
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    await page.get_by_role("button", name="Play", exact=True).click()
    await page.locator("#play-token").fill(create_token("Me"))
    await expect(page.locator("#play-faction")).to_have_value("Me")
    await page.locator(field).press("Enter")
    await ordered(sim, page, "applied", "Enter as Me")
    await expect(page.locator("#play")).to_be_hidden()
    assert faults == []


async def test_the_join_dialog_requires_a_name_and_can_be_cancelled(
    page: Page, world_page: WorldPage, sim: Sim, redis_url: str, processes: Processes
) -> None:
    viz = await start(sim, redis_url, processes)
    await page.goto(viz.url)
    await world_page.wait_for_tick(1)
    for end in ("Cancel", "Escape", "Enter on Cancel"):
        await page.get_by_role("button", name="Play", exact=True).click()
        await expect(page.locator("#play-token")).to_be_hidden()
        await page.locator("#play-faction").press("Enter")
        await expect(page.locator("#play-error")).to_have_text("A faction needs a name.")
        if end == "Cancel":
            await page.locator("#play-cancel").click()
        elif end == "Escape":
            await page.keyboard.press("Escape")
        else:
            await page.locator("#play-cancel").press("Enter")
        await expect(page.locator("#play")).to_be_hidden()
    await expect(page.locator("#orders li")).to_have_count(0)


async def test_an_unreachable_api_is_reported(page: Page, world_page: WorldPage, viz_without_api: Service) -> None:
    await page.goto(viz_without_api.url)
    await world_page.wait_for_tick(1)
    await page.get_by_role("button", name="Play", exact=True).click()
    await expect(page.locator("#play-error")).to_contain_text("cannot be reached")


@pytest_asyncio.fixture(loop_scope="session")
async def viz_without_api(sim: Sim, redis_url: str, processes: Processes) -> Service:
    await sim.tick()
    return processes.start("viz", REDIS_URL=redis_url, API_URL=f"http://127.0.0.1:{free_port()}")


async def test_without_an_api_there_is_no_play_button(
    page: Page, world_page: WorldPage, sim: Sim, redis_url: str, processes: Processes
) -> None:
    await sim.tick()
    await page.goto(processes.start("viz", REDIS_URL=redis_url).url)
    await world_page.wait_for_tick(1)
    await expect(page.locator("#play-open")).to_be_hidden()
