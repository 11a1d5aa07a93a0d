"""The frame rate of a page in a browser that draws without a GPU."""

from typing import NamedTuple

from playwright.async_api import Page, async_playwright

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
_WIDE, _HIGH = 1280, 800
_SETTLE_MS = 3_000
_COUNT = """(ms) => new Promise((done) => {
  const began = performance.now();
  let frames = 0;
  requestAnimationFrame(function frame(now) {
    frames++;
    if (now - began < ms) requestAnimationFrame(frame);
    else done((now - began) / 1000 / frames);
  });
})"""
_MEASURED_MS = 4_000
_LOADED = """() => [
  performance.getEntriesByName("first frame")[0].startTime,
  performance.getEntriesByType("navigation")[0].domInteractive,
]"""


class Pace(NamedTuple):
    """Seconds per frame of the page and of an empty page, until its first frame, and until its document is loaded."""

    frame_s: float
    empty_s: float
    first_frame_s: float
    document_s: float


async def pace(chromium: str, url: str) -> Pace:
    """Measure the page at `url`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        try:
            page = await browser.new_page(viewport={"width": _WIDE, "height": _HIGH})
            empty_s = await _frame_s(page)
            await page.goto(url)
            await page.locator("body[data-state=live]").wait_for()
            await page.wait_for_timeout(_SETTLE_MS)
            first_frame_ms, document_ms = await page.evaluate(_LOADED)
            return Pace(await _frame_s(page), empty_s, first_frame_ms / 1000, document_ms / 1000)
        finally:
            await browser.close()


async def _frame_s(page: Page) -> float:
    took_s: float = await page.evaluate(_COUNT, _MEASURED_MS)
    return took_s
