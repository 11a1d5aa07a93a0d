"""Frames: how many a browser shows of a page, when it draws by processor alone."""

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


async def pace(chromium: str, url: str) -> tuple[float, float]:
    """Return how long a frame takes of the page at `url`, and of an empty one, in seconds."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        try:
            page = await browser.new_page(viewport={"width": _WIDE, "height": _HIGH})
            empty_s = await _frame_s(page)
            await page.goto(url)
            await page.locator("body[data-state=live]").wait_for()
            await page.wait_for_timeout(_SETTLE_MS)
            return await _frame_s(page), empty_s
        finally:
            await browser.close()


async def _frame_s(page: Page) -> float:
    took_s: float = await page.evaluate(_COUNT, _MEASURED_MS)
    return took_s
