/** The controls of the map: zoom buttons, and gestures that select objects and drag orders. */

import { byId } from "../ui/dom.js";
import { Gestures } from "./gestures.js";

/** @typedef {import("../play/drag-order.js").DragOrder} DragOrder */
/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {import("./map-view.js").MapView} MapView */
/** @typedef {import("./selection-layer.js").Selection} Selection */

const ZOOM_FACTOR = 1.4;

/**
 * @param {MapView} mapView
 * @param {Playback} playback
 * @param {DragOrder} dragOrder
 * @param {(selection: Selection | null) => void} onSelect
 */
export function connectMapControls(mapView, playback, dragOrder, onSelect) {
  const { camera, selectionLayer, canvas } = mapView;
  const pick = (/** @type {number} */ x, /** @type {number} */ y) => playback.world && mapView.pick(playback.world, playback.time, x, y);
  new Gestures(canvas, camera, {
    pick: (x, y) => playback.world && onSelect(pick(x, y)),
    hover: (x, y) => {
      const hover = pick(x, y);
      if (hover?.kind !== selectionLayer.hover?.kind || hover?.id !== selectionLayer.hover?.id) selectionLayer.set({ hover });
      canvas.style.cursor = hover ? "pointer" : "";
    },
    canStartOrder: (x, y) => dragOrder.start(x, y),
    dragOrder: (x, y) => dragOrder.move(x, y),
    dropOrder: (x, y) => dragOrder.drop(x, y),
    cancelOrder: () => dragOrder.cancel(),
  });
  const zoom = (/** @type {number} */ factor) => camera.zoom(factor, camera.width / 2, camera.height / 2);
  byId("zoom-in").addEventListener("click", () => zoom(ZOOM_FACTOR));
  byId("zoom-out").addEventListener("click", () => zoom(1 / ZOOM_FACTOR));
  byId("fit").addEventListener("click", () => camera.fit());
}
