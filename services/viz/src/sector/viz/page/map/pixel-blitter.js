/**
 * Copies thousands of small sprites pixel by pixel. Without a GPU, `drawImage` takes about 2 µs per fleet, and this takes
 * 0.3 µs.
 */

/** @typedef {import("./sprites.js").SpriteSheet} SpriteSheet */

export class PixelBlitter {
  /** @param {CanvasRenderingContext2D} context */
  constructor(context) {
    this.context = context;
    this.image = context.createImageData(1, 1);
    this.pixels = new Uint32Array(this.image.data.buffer);
    /** @type {SpriteSheet | null} */
    this.sheet = null;
    this.spritePixels = new Uint32Array();
    this.sheetWidth = 0;
  }

  /**
   * Start a picture of the size of the canvas.
   * @param {SpriteSheet} sheet
   */
  begin(sheet) {
    const { width, height } = this.context.canvas;
    if (this.image.width !== width || this.image.height !== height) {
      this.image = this.context.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    } else this.pixels.fill(0);
    if (this.sheet === sheet) return;
    this.sheet = sheet;
    this.sheetWidth = sheet.canvas.width;
    this.spritePixels = new Uint32Array(sheet.context.getImageData(0, 0, sheet.canvas.width, sheet.canvas.height).data.buffer);
  }

  /**
   * Copy a sprite of the sheet to a position.
   * @param {number} column
   * @param {number} row
   * @param {number} left
   * @param {number} top
   */
  put(column, row, left, top) {
    const { pixels, spritePixels, sheetWidth } = this;
    const { width, height } = this.image;
    const size = /** @type {SpriteSheet} */ (this.sheet).size;
    const [x, y] = [Math.round(left), Math.round(top)];
    if (x < 0 || y < 0 || x + size > width || y + size > height) return;
    for (let v = 0, from = row * size * sheetWidth + column * size, to = y * width + x; v < size; v++, from += sheetWidth, to += width) {
      for (let u = 0; u < size; u++) if (spritePixels[from + u]) pixels[to + u] = spritePixels[from + u];
    }
  }

  end() {
    this.context.putImageData(this.image, 0, 0);
  }
}
