"""The page as a test looks at it: what it shows, and where on it things are."""

from dataclasses import dataclass

from playwright.async_api import Page, expect

_WITHIN_MS = 20_000
_PLACE = """async (row) => {
  const { mapView, playback } = (await import(document.querySelector("script[type=module]").src)).app;
  const { map } = playback.world;
  return [map.x[row] * mapView.camera.scale + mapView.camera.x, map.y[row] * mapView.camera.scale + mapView.camera.y];
}"""
_OWNERS = """async () => {
  const { playback } = (await import(document.querySelector("script[type=module]").src)).app;
  const { owner, factions } = playback.world;
  return Array.from(owner, (row) => (row < 0 ? null : factions[row]));
}"""
_TABLES = """async () => {
  const { playback } = (await import(document.querySelector("script[type=module]").src)).app;
  const { world } = playback;
  const of = (name) => Array.from(world.fleets.columns[name].values);
  const columns = ["id", "ships", "origin", "target", "departed", "arrives"].map(of);
  return {
    ships: Array.from(world.ships),
    fleets: columns[0].map((_, row) => columns.map((column) => column[row])),
    factions: world.factions.map((id, row) => [id, world.supply[row]]),
  };
}"""
_LABELLED = """async (scale) => {
  const main = document.querySelector("script[type=module]").src;
  const { playback } = (await import(main)).app;
  const { orderByImportance, placeLabels } = await import(main.replace("main.js", "map/labels.js"));
  const { map } = playback.world;
  const { left, right, top, bottom } = map.bounds;
  const camera = { scale, width: 600, height: 600, x: 300 - ((left + right) / 2) * scale, y: 300 - ((top + bottom) / 2) * scale };
  const visible = placeLabels(map, orderByImportance(map), camera, { size: 12, reach: Math.min(scale, 15), withNames: true });
  const inside = (at, middle) => Math.abs(at - middle) * scale <= 320;
  const seen = Array.from(map.x).filter((x, row) => inside(x, (left + right) / 2) && inside(map.y[row], (top + bottom) / 2));
  return visible.length / seen.length;
}"""
_SHOWN = """async () => {
  const { mapView, playback } = (await import(document.querySelector("script[type=module]").src)).app;
  const { scale, view } = mapView.camera;
  const effects = mapView.effectLayer.active.map(({ kind, text }) => [kind, text]);
  return { frames: mapView.frameCount, fleets: mapView.fleetCount, scale, view, effects, live: playback.isLive, time: playback.time };
}"""
_COLOURS = """() => {
  const canvas = document.getElementById("ground");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
  return [...seen];
}"""


@dataclass(frozen=True, slots=True)
class Watched:
    """A page of the viz."""

    page: Page

    async def at_tick(self, tick: int) -> None:
        """Wait until it shows a tick."""
        await expect(self.page.locator("body")).to_have_attribute("data-tick", str(tick), timeout=_WITHIN_MS)

    async def in_state(self, state: str) -> None:
        """Wait until it says that it is live, stale, lost …"""
        await expect(self.page.locator("#status")).to_have_attribute("data-state", state, timeout=_WITHIN_MS)

    async def place(self, row: int) -> tuple[float, float]:
        """Return where a system is on the page, in CSS pixels."""
        x, y = await self.page.evaluate(_PLACE, row)
        return x, y

    async def owners(self) -> list[str | None]:
        """Return who owns each system, as shown."""
        found: list[str | None] = await self.page.evaluate(_OWNERS)
        return found

    async def tables(self) -> dict[str, list[object]]:
        """Return what it knows: garrisons, fleets (id, ships, origin, target, departed, arrives) and factions with their supply."""
        found: dict[str, list[object]] = await self.page.evaluate(_TABLES)
        return found

    async def labelled(self, scale: float) -> float:
        """Return which part of the systems in a picture of the middle of the map would be named at this scale."""
        part: float = await self.page.evaluate(_LABELLED, scale)
        return part

    async def shown(self) -> dict[str, object]:
        """Return what is drawn: frames so far, fleets in the last, the camera's scale and view, effects, and the time."""
        found: dict[str, object] = await self.page.evaluate(_SHOWN)
        return found

    async def colours(self) -> set[str]:
        """Return the colours on the map."""
        return set(await self.page.evaluate(_COLOURS))

    async def select(self, row: int) -> None:
        """Click on a system."""
        await self.page.mouse.click(*await self.place(row))
        await expect(self.page.locator("#story h2")).to_contain_text(f"S{row}")
