/** Decodes the frame of events of a tick to one object per event, like `sector.models.rows.event_rows`. */

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./frame.js").Table} Table */
/** @typedef {{n: number, tick: number, type: string, [field: string]: any}} WorldEvent */

/**
 * @param {Frame | null} frame
 * @returns {WorldEvent[]} ordered by their number
 */
export function readEvents(frame) {
  if (!frame) return [];
  /** @type {WorldEvent[]} */
  const events = [];
  for (const [type, table] of Object.entries(frame.tables)) {
    const first = frame.meta.first?.[type];
    const numbers = table.columns.n?.values;
    if (!numbers && first === undefined) continue;
    const readRow = rowReader(frame, table);
    const typeEvents = Array.from({ length: table.rows }, (_, row) => ({ type, tick: frame.meta.tick, n: numbers ? numbers[row] : first + row, ...readRow(row) }));
    for (const [name, child] of Object.entries(frame.tables)) if (name.startsWith(`${type}.`)) attachChildRows(typeEvents, name.slice(type.length + 1), child, frame);
    for (const row of typeEvents) events.push(row);
  }
  return events.sort((a, b) => a.n - b.n);
}

/**
 * @param {Frame} frame
 * @param {Table} table
 * @returns {(row: number) => Record<string, any>}
 */
function rowReader(frame, table) {
  const labels = Object.entries(table.labels);
  const columns = Object.entries(table.columns).filter(([name]) => name !== "n" && name !== "of");
  return (row) => {
    /** @type {Record<string, any>} */
    const fields = {};
    for (const [name, texts] of labels) fields[name] = texts[row];
    for (const [name, { values, refersTo, prefix }] of columns) {
      const value = values[row];
      if (prefix) fields[name] = value < 0 ? null : `${prefix}${value}`;
      else if (refersTo) fields[name] = value < 0 ? null : frame.tables[refersTo].labels.id[value];
      else fields[name] = value;
    }
    return fields;
  };
}

/**
 * @param {Record<string, any>[]} rows
 * @param {string} field
 * @param {Table} child
 * @param {Frame} frame
 */
function attachChildRows(rows, field, child, frame) {
  const readRow = rowReader(frame, child);
  const parentRows = child.columns.of.values;
  for (const row of rows) row[field] = [];
  for (let row = 0; row < child.rows; row++) rows[parentRows[row]][field].push(readRow(row));
}

/**
 * Return the row of a system from its id, such as S7.
 * @param {string} id
 */
export function systemRow(id) {
  return Number(id.slice(1));
}
