/** Deltas: what leads from one snapshot to the next, as `sector.models.delta` has it; applied in place. */

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./frame.js").Table} Table */
/** @typedef {import("./frame.js").Values} Values */

/**
 * Apply a delta to the tables of a snapshot.
 * @param {Record<string, Table>} tables
 * @param {Frame} delta
 */
export function applyDelta(tables, delta) {
  for (const [verb, change] of Object.entries({ changed, removed, added })) {
    for (const [name, part] of Object.entries(delta.tables)) {
      const dot = name.lastIndexOf(".");
      const table = tables[name.slice(0, dot)];
      if (table && name.slice(dot + 1) === verb) change(table, part);
    }
  }
}

/** @param {Table} table @param {Table} part */
function changed(table, part) {
  const rows = part.columns.row?.values;
  for (const [name, { values }] of Object.entries(part.columns)) {
    if (name === "row") continue;
    const current = table.columns[name].values;
    if (rows) for (let index = 0; index < rows.length; index++) current[rows[index]] = values[index];
    else current.set(values);
  }
}

/** @param {Table} table @param {Table} part */
function removed(table, part) {
  const gone = new Set(part.columns.id.values);
  const ids = table.columns.id.values;
  const kept = [];
  for (let row = 0; row < ids.length; row++) if (!gone.has(ids[row])) kept.push(row);
  for (const column of Object.values(table.columns)) {
    const { values } = column;
    column.values = fresh(values, kept.length);
    for (let at = 0; at < kept.length; at++) column.values[at] = values[kept[at]];
  }
  for (const [name, texts] of Object.entries(table.labels)) table.labels[name] = kept.map((row) => texts[row]);
  table.rows = kept.length;
}

/** @param {Table} table @param {Table} part */
function added(table, part) {
  for (const [name, column] of Object.entries(table.columns)) {
    const { values } = column;
    column.values = fresh(values, table.rows + part.rows);
    column.values.set(values);
    column.values.set(part.columns[name].values, table.rows);
  }
  for (const [name, texts] of Object.entries(table.labels)) table.labels[name] = [...texts, ...part.labels[name]];
  table.rows += part.rows;
}

/**
 * @param {Values} like
 * @param {number} length
 * @returns {Values}
 */
function fresh(like, length) {
  return new /** @type {new (length: number) => Values} */ (like.constructor)(length);
}
