/** Events: what happened in a tick, as rows made from the columns of their frame, as `sector.models.rows.event_rows` does. */

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./frame.js").Table} Table */
/** @typedef {{n: number, tick: number, type: string, [field: string]: any}} WorldEvent */

/**
 * @param {Frame | null} frame
 * @returns {WorldEvent[]} in their order
 */
export function eventRows(frame) {
  if (!frame) return [];
  /** @type {WorldEvent[]} */
  const rows = [];
  for (const [type, table] of Object.entries(frame.tables)) {
    const first = frame.meta.first?.[type];
    const numbers = table.columns.n?.values;
    if (!numbers && first === undefined) continue;
    const read = reader(frame, table);
    const own = Array.from({ length: table.rows }, (_, row) => ({ type, tick: frame.meta.tick, n: numbers ? numbers[row] : first + row, ...read(row) }));
    for (const [name, child] of Object.entries(frame.tables)) if (name.startsWith(`${type}.`)) attach(own, name.slice(type.length + 1), child, frame);
    for (const row of own) rows.push(row);
  }
  return rows.sort((a, b) => a.n - b.n);
}

/**
 * @param {Frame} frame
 * @param {Table} table
 * @returns {(row: number) => Record<string, any>}
 */
function reader(frame, table) {
  const labels = Object.entries(table.labels);
  const columns = Object.entries(table.columns).filter(([name]) => name !== "n" && name !== "of");
  return (row) => {
    /** @type {Record<string, any>} */
    const found = {};
    for (const [name, texts] of labels) found[name] = texts[row];
    for (const [name, { values, refersTo, prefix }] of columns) {
      const value = values[row];
      if (prefix) found[name] = value < 0 ? null : `${prefix}${value}`;
      else if (refersTo) found[name] = value < 0 ? null : frame.tables[refersTo].labels.id[value];
      else found[name] = value;
    }
    return found;
  };
}

/**
 * @param {Record<string, any>[]} rows
 * @param {string} field
 * @param {Table} child
 * @param {Frame} frame
 */
function attach(rows, field, child, frame) {
  const read = reader(frame, child);
  const of = child.columns.of.values;
  for (const row of rows) row[field] = [];
  for (let at = 0; at < child.rows; at++) rows[of[at]][field].push(read(at));
}

/**
 * Return the row of the system in an id such as S7.
 * @param {string} id
 */
export function systemRow(id) {
  return Number(id.slice(1));
}
