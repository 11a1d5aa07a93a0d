/** Decodes tick updates: a snapshot or delta, and the events of that tick, in the format in which the viz sends them. */

import { FrameError, readFrame } from "./frame.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {{frame: Frame, events: Frame | null, timestampMs: number, epoch: number}} TickUpdate `frame` is a snapshot or a delta; `timestampMs` is 0 if it is not available */

const HEADER_BYTES = 24;
const MAGIC_BYTE = 0x53;

/**
 * @param {Uint8Array} bytes
 * @returns {TickUpdate[]}
 */
export function readTickUpdates(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const updates = [];
  for (let start = 0; start < bytes.length; ) {
    if (start + HEADER_BYTES > bytes.length) throw new FrameError("the header of a tick update is truncated");
    const [frameBytes, eventBytes] = [view.getUint32(start, true), view.getUint32(start + 4, true)];
    const timestampMs = view.getFloat64(start + 8, true);
    const epoch = view.getUint32(start + 16, true);
    start += HEADER_BYTES;
    if (start + padded(frameBytes) + padded(eventBytes) > bytes.length) throw new FrameError("a tick update is truncated");
    const frame = readFrame(bytes.subarray(start, start + frameBytes));
    start += padded(frameBytes);
    const events = bytes.subarray(start, start + eventBytes);
    start += padded(eventBytes);
    // Events of versions before 0.2 are not frames, and are ignored.
    updates.push({ frame, events: events[0] === MAGIC_BYTE ? readFrame(events) : null, timestampMs, epoch });
  }
  return updates;
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
  const inflated = new Blob([/** @type {BlobPart} */ (bytes)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(inflated).arrayBuffer());
}
