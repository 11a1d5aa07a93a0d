/** Moments: what the page needs to show one tick. The layout is that of `sector.viz.moment`. */

import { FrameError, readFrame } from "./frame.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {{frame: Frame, events: Frame | null, atMs: number, epoch: number}} Moment `frame` is a snapshot or a delta; `atMs` 0: not kept */

const HEADER_BYTES = 24;
const MAGIC_BYTE = 0x53;

/**
 * @param {Uint8Array} bytes
 * @returns {Moment[]}
 */
export function readMoments(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const moments = [];
  for (let start = 0; start < bytes.length; ) {
    if (start + HEADER_BYTES > bytes.length) throw new FrameError("the header of a moment reaches beyond its end");
    const [first, second] = [view.getUint32(start, true), view.getUint32(start + 4, true)];
    const atMs = view.getFloat64(start + 8, true);
    const epoch = view.getUint32(start + 16, true);
    start += HEADER_BYTES;
    if (start + padded(first) + padded(second) > bytes.length) throw new FrameError("a moment reaches beyond its end");
    const frame = readFrame(bytes.subarray(start, start + first));
    start += padded(first);
    const told = bytes.subarray(start, start + second);
    start += padded(second);
    // Events of before 0.2 are not frames; they are passed over.
    moments.push({ frame, events: told[0] === MAGIC_BYTE ? readFrame(told) : null, atMs, epoch });
  }
  return moments;
}

/** @param {number} length */
function padded(length) {
  return length + (-length & 7);
}

/**
 * @param {Uint8Array} bytes deflated (RFC 1951)
 * @returns {Promise<Uint8Array>}
 */
export async function inflate(bytes) {
  const whole = new Blob([/** @type {BlobPart} */ (bytes)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(whole).arrayBuffer());
}
