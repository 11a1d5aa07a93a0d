"""A real browser, and the errors of its pages."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect
from redis.asyncio import Redis

from fixtures.requires import require_program
from fixtures.sim import Sim
from sector.state.redis.client import connect

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A machine may be busy.
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all tests in one event loop with one browser, whose start takes 1.5 s of processor time."""
    for item in items:
        if pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests. Each test has its own pages, which share nothing."""
    path = require_program("chromium", "chromium-browser", "google-chrome", hint="apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def faults() -> list[str]:
    """The errors that a page logged."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the database of the test, in the event loop of the browser."""
    client = connect(redis_url)
    assert isinstance(client, Redis)
    yield client
    await client.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def sim(redis: Redis) -> Sim:
    """A new sim that the test ticks."""
    return await Sim.create(redis)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, faults: list[str]) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 1200, "height": 800})
    page.set_default_timeout(20_000)

    def record_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            faults.append(message.text)

    page.on("console", record_message)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    await page.close()
