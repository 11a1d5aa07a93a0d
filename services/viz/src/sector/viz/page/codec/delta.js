/** Deltas: the changes from one tick to the next, in the format of `sector.models.delta`. They are applied in place. */

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./frame.js").Table} Table */
/** @typedef {import("./frame.js").Values} Values */

/**
 * Apply a delta to the tables of a snapshot.
 * @param {Record<string, Table>} tables
 * @param {Frame} delta
 */
export function applyDelta(tables, delta) {
  for (const [verb, apply] of Object.entries({ changed: updateRows, removed: deleteRows, added: appendRows })) {
    for (const [name, change] of Object.entries(delta.tables)) {
      const dot = name.lastIndexOf(".");
      const table = tables[name.slice(0, dot)];
      if (table && name.slice(dot + 1) === verb) apply(table, change);
    }
  }
}

/** @param {Table} table @param {Table} change */
function updateRows(table, change) {
  const rows = change.columns.row?.values;
  for (const [name, { values }] of Object.entries(change.columns)) {
    if (name === "row") continue;
    const current = table.columns[name].values;
    if (rows) for (let index = 0; index < rows.length; index++) current[rows[index]] = values[index];
    else current.set(values);
  }
}

/** @param {Table} table @param {Table} change */
function deleteRows(table, change) {
  const deletedIds = new Set(change.columns.id.values);
  const ids = table.columns.id.values;
  const rest = [];
  for (let row = 0; row < ids.length; row++) if (!deletedIds.has(ids[row])) rest.push(row);
  for (const column of Object.values(table.columns)) {
    const { values } = column;
    column.values = createArray(values, rest.length);
    for (let index = 0; index < rest.length; index++) column.values[index] = values[rest[index]];
  }
  for (const [name, texts] of Object.entries(table.labels)) table.labels[name] = rest.map((row) => texts[row]);
  table.rows = rest.length;
}

/** @param {Table} table @param {Table} change */
function appendRows(table, change) {
  for (const [name, column] of Object.entries(table.columns)) {
    const { values } = column;
    column.values = createArray(values, table.rows + change.rows);
    column.values.set(values);
    column.values.set(change.columns[name].values, table.rows);
  }
  for (const [name, texts] of Object.entries(table.labels)) table.labels[name] = [...texts, ...change.labels[name]];
  table.rows += change.rows;
}

/**
 * @param {Values} like
 * @param {number} length
 * @returns {Values}
 */
function createArray(like, length) {
  return new /** @type {new (length: number) => Values} */ (like.constructor)(length);
}
