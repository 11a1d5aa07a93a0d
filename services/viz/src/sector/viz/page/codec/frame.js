/** Decodes frames: tables of columns in one binary blob, in the format of `sector.models.frame`. Most columns are not copied. */

/** @typedef {Int8Array | Int16Array | Int32Array | Float64Array} Values */
/** @typedef {{values: Values, refersTo: string | null, prefix: string}} Column */
/** @typedef {{rows: number, prefix: string, columns: Record<string, Column>, labels: Record<string, string[]>}} Table */
/** @typedef {{kind: string, id: string, meta: Record<string, any>, tables: Record<string, Table>}} Frame */
/** @typedef {[name: string, code: string, refersTo: string | null, prefix?: string]} ColumnHeader */

const MAGIC = 0x46434553;
const PREFIX_BYTES = 12;
const DIGEST_BYTES = 16;
const VERSIONS = [1, 2];
const MAX_ROWS = 2 ** 31;
/** @type {Record<string, number>} Bytes per value, by typecode. */
const VALUE_BYTES = { "?": 1, b: 1, h: 2, i: 4, q: 8 };
const TEXT = new TextDecoder();

/** Invalid bytes of a frame. */
export class FrameError extends Error {}

/**
 * @param {Uint8Array} bytes
 * @returns {Frame} `id` is its digest, as hex
 */
export function readFrame(bytes) {
  const blob = bytes.byteOffset % 8 ? bytes.slice() : bytes;
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const end = blob.length - DIGEST_BYTES;
  if (end < PREFIX_BYTES || view.getUint32(0, true) !== MAGIC) throw new FrameError("it does not begin with SECF");
  const version = view.getUint16(4, true);
  if (!VERSIONS.includes(version)) throw new FrameError(`version ${version}, this page reads versions ${VERSIONS.join(", ")}`);
  const length = view.getUint32(8, true);
  if (PREFIX_BYTES + length > end) throw new FrameError("the header exceeds the frame");
  const header = readHeader(blob.subarray(PREFIX_BYTES, PREFIX_BYTES + length));
  let start = padded(PREFIX_BYTES + length);
  /** @type {Record<string, Table>} */
  const tables = {};
  for (const name of Object.keys(header.tables).sort()) {
    const { rows, prefix, columns: columnHeaders, labels } = header.tables[name];
    if (!Number.isInteger(rows) || rows < 0 || rows >= MAX_ROWS) throw new FrameError(`${name} has ${rows} rows`);
    /** @type {Record<string, Column>} */
    const columns = {};
    for (const [column, code, refersTo, idPrefix = ""] of columnHeaders) {
      if (!Object.hasOwn(VALUE_BYTES, code)) throw new FrameError(`column ${name}.${column} has the unknown typecode ${code}`);
      const stop = start + rows * VALUE_BYTES[code];
      if (stop > end) throw new FrameError(`column ${name}.${column} exceeds the frame`);
      columns[column] = { values: readValues(blob, start, rows, code), refersTo, prefix: idPrefix };
      start = padded(stop);
    }
    for (const [label, texts] of Object.entries(labels)) {
      if (texts.length !== rows) throw new FrameError(`${name}.${label} has ${texts.length} labels for ${rows} rows`);
    }
    tables[name] = { rows, prefix, columns, labels };
  }
  if (start !== end) throw new FrameError(`${end - start} bytes more than its columns`);
  return { kind: header.kind, id: hex(blob.subarray(-DIGEST_BYTES)), meta: header.meta, tables };
}

/**
 * @param {Uint8Array} bytes
 * @returns {{kind: string, meta: Record<string, any>, tables: Record<string, {rows: number, prefix: string, columns: ColumnHeader[], labels: Record<string, string[]>}>}}
 */
function readHeader(bytes) {
  let header;
  try {
    header = JSON.parse(TEXT.decode(bytes));
  } catch {
    throw new FrameError("its header is not JSON");
  }
  if (!header?.tables) throw new FrameError("its header has no tables");
  return header;
}

/** @param {number} offset */
function padded(offset) {
  return offset + (-offset & 7);
}

/**
 * @param {Uint8Array} blob
 * @param {number} start
 * @param {number} rows
 * @param {string} code one of ? b h i q
 * @returns {Values} 64-bit integers become doubles, because no value of Sector reaches 2^53
 */
function readValues(blob, start, rows, code) {
  const { buffer, byteOffset } = blob;
  if (code === "i") return new Int32Array(buffer, byteOffset + start, rows);
  if (code === "h") return new Int16Array(buffer, byteOffset + start, rows);
  if (code !== "q") return new Int8Array(buffer, byteOffset + start, rows);
  const halves = new Int32Array(buffer, byteOffset + start, 2 * rows);
  const values = new Float64Array(rows);
  for (let row = 0; row < rows; row++) values[row] = halves[2 * row + 1] * 2 ** 32 + (halves[2 * row] >>> 0);
  return values;
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
