"""The page of the viz for tests: waits for states, and reads what it shows."""

from dataclasses import dataclass

from playwright.async_api import Page, expect

_TIMEOUT_MS = 20_000
_POSITION = """async (row) => {
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
_NAMED_SHARE = """async (scale) => {
  const main = document.querySelector("script[type=module]").src;
  const { playback } = (await import(main)).app;
  const { orderByImportance, placeLabels } = await import(main.replace("main.js", "map/labels.js"));
  const { map } = playback.world;
  const { left, right, top, bottom } = map.bounds;
  const camera = { scale, width: 600, height: 600, x: 300 - ((left + right) / 2) * scale, y: 300 - ((top + bottom) / 2) * scale };
  const visible = placeLabels(map, orderByImportance(map), camera, { size: 12, reach: Math.min(scale, 15), withNames: true });
  const inside = (position, middle) => Math.abs(position - middle) * scale <= 320;
  const inPicture = Array.from(map.x).filter((x, row) => inside(x, (left + right) / 2) && inside(map.y[row], (top + bottom) / 2));
  return visible.length / inPicture.length;
}"""
_DRAWING = """async () => {
  const { mapView, playback } = (await import(document.querySelector("script[type=module]").src)).app;
  const { scale, view } = mapView.camera;
  const effects = mapView.effectLayer.active.map(({ kind, text }) => [kind, text]);
  return { frames: mapView.frameCount, fleets: mapView.fleetCount, scale, view, effects, live: playback.isLive, time: playback.time };
}"""
_COLOURS = """() => {
  const canvas = document.getElementById("base-layer");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4) colours.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
  return [...colours];
}"""


@dataclass(frozen=True, slots=True)
class WorldPage:
    """A page of the viz in a browser."""

    page: Page

    async def wait_for_tick(self, tick: int) -> None:
        """Wait until the page shows a tick."""
        await expect(self.page.locator("body")).to_have_attribute("data-tick", str(tick), timeout=_TIMEOUT_MS)

    async def wait_for_state(self, state: str) -> None:
        """Wait for a state of the status bar: live, stale, lost …"""
        await expect(self.page.locator("#status")).to_have_attribute("data-state", state, timeout=_TIMEOUT_MS)

    async def locate_system(self, row: int) -> tuple[float, float]:
        """Return the position of a system on the page, in CSS pixels."""
        x, y = await self.page.evaluate(_POSITION, row)
        return x, y

    async def read_owners(self) -> list[str | None]:
        """Return the owner of each system, as shown."""
        owners: list[str | None] = await self.page.evaluate(_OWNERS)
        return owners

    async def read_tables(self) -> dict[str, list[object]]:
        """Return garrisons, fleets (id, ships, origin, target, departed, arrives) and factions with their supply."""
        tables: dict[str, list[object]] = await self.page.evaluate(_TABLES)
        return tables

    async def named_share(self, scale: float) -> float:
        """Return the share of the systems around the middle of the map that have names at a scale."""
        share: float = await self.page.evaluate(_NAMED_SHARE, scale)
        return share

    async def read_drawing(self) -> dict[str, object]:
        """Return the number of frames and fleets, the scale and view of the camera, the effects, and the time."""
        drawing: dict[str, object] = await self.page.evaluate(_DRAWING)
        return drawing

    async def read_colours(self) -> set[str]:
        """Return the colours of the pixels of the map."""
        return set(await self.page.evaluate(_COLOURS))

    async def select_system(self, row: int) -> None:
        """Select a system by a click."""
        await self.page.mouse.click(*await self.locate_system(row))
        await expect(self.page.locator("#details h2")).to_contain_text(f"S{row}")
