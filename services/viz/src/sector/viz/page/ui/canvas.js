/** Canvas contexts. A browser may refuse them because of a setting, an extension or a lack of memory. */

/** The browser refused a canvas. `remedy` says what the user can do. */
export class CanvasError extends Error {
  constructor() {
    super("This browser refuses to draw on a canvas, so there is no map");
    this.remedy = "Allow canvas for this site, turn off the extension that blocks it, or close other pages, and reload this one.";
  }
}

/**
 * Return the context of a canvas. Throws CanvasError.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function contextOf(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new CanvasError();
  return context;
}

/**
 * Return the context of a canvas that is not on the page. Throws CanvasError.
 * @param {OffscreenCanvas} canvas
 */
export function offscreenContextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new CanvasError();
  return context;
}
