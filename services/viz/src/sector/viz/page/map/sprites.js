/** Sprites of systems and fleets: each colour, size and heading is drawn once, then copied. Sizes are in device pixels. */

import { offscreenContextOf } from "../ui/canvas.js";
import { cssColour } from "../ui/theme.js";

/** @typedef {import("../ui/theme.js").Colour} Colour */

export const HEADINGS = 32;
export const GRADES = 4;

/** A sheet of sprites of one size, with one row per colour. */
export class SpriteSheet {
  /** @param {number} columns @param {number} rows @param {number} size */
  constructor(columns, rows, size) {
    this.size = size;
    this.canvas = new OffscreenCanvas(Math.max(columns * size, 1), Math.max(rows * size, 1));
    this.context = offscreenContextOf(this.canvas);
  }

  /**
   * Draw one sprite. Its middle is at 0, 0.
   * @param {number} column
   * @param {number} row
   * @param {(context: OffscreenCanvasRenderingContext2D) => void} draw
   */
  put(column, row, draw) {
    const { context, size } = this;
    context.save();
    context.translate((column + 0.5) * size, (row + 0.5) * size);
    draw(context);
    context.restore();
  }
}

/**
 * Return discs for systems, with one row per colour and one column per grade of growth. A null colour is neutral.
 * @param {(Colour | null)[]} colours
 * @param {{radius: number, background: string, neutral: string}} look
 */
export function drawSystemSprites(colours, { radius, background, neutral }) {
  const maxRadius = systemRadius(radius, GRADES - 1);
  const glow = radius > 3 ? 1.9 : 1.25;
  const sheet = new SpriteSheet(GRADES, colours.length, Math.ceil(2 * maxRadius * glow) + 4);
  colours.forEach((colour, row) => {
    for (let grade = 0; grade < GRADES; grade++) {
      sheet.put(grade, row, (context) => drawDisc(context, systemRadius(radius, grade), colour, background, neutral, glow));
    }
  });
  return sheet;
}

/** @param {number} radius @param {number} grade */
export function systemRadius(radius, grade) {
  return radius * (0.62 + 0.19 * grade);
}

/**
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {number} radius
 * @param {Colour | null} colour
 * @param {string} background
 * @param {string} neutral
 * @param {number} glow
 */
function drawDisc(context, radius, colour, background, neutral, glow) {
  if (colour && radius > 3) {
    const shine = context.createRadialGradient(0, 0, radius * 0.8, 0, 0, radius * glow);
    shine.addColorStop(0, cssColour(colour, 0.55));
    shine.addColorStop(1, cssColour(colour, 0));
    context.fillStyle = shine;
    context.beginPath();
    context.arc(0, 0, radius * glow, 0, 2 * Math.PI);
    context.fill();
  }
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
  context.fillStyle = colour ? cssColour(colour) : background;
  context.fill();
  context.lineWidth = Math.max(radius * 0.16, 1);
  context.strokeStyle = colour ? background : neutral;
  context.stroke();
}

/**
 * Return arrows for fleets, with one row per colour and grade of strength, and one column per heading.
 * @param {Colour[]} colours
 * @param {{length: number, background: string}} look `length` of the weakest
 */
export function drawFleetSprites(colours, { length, background }) {
  const maxLength = length * (1 + 0.28 * (GRADES - 1));
  const sheet = new SpriteSheet(HEADINGS, colours.length * GRADES, Math.ceil(maxLength * 1.3) + 2);
  colours.forEach((colour, row) => {
    for (let grade = 0; grade < GRADES; grade++) {
      for (let heading = 0; heading < HEADINGS; heading++) {
        sheet.put(heading, row * GRADES + grade, (context) => {
          context.rotate((heading * 2 * Math.PI) / HEADINGS);
          drawArrow(context, length * (1 + 0.28 * grade), cssColour(colour), background);
        });
      }
    }
  });
  return sheet;
}

/** @param {OffscreenCanvasRenderingContext2D} context @param {number} length @param {string} colour @param {string} background */
function drawArrow(context, length, colour, background) {
  const half = length / 2;
  context.beginPath();
  context.moveTo(half, 0);
  context.lineTo(-half, half * 0.72);
  context.lineTo(-half * 0.45, 0);
  context.lineTo(-half, -half * 0.72);
  context.closePath();
  context.fillStyle = colour;
  context.strokeStyle = background;
  if (length > 8) {
    context.lineWidth = 1.5;
    context.stroke();
  }
  context.fill();
}
