/** The formats of numbers and times. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { formatTime, formatDuration, formatShort, formatNumber } from "../../src/sector/viz/page/ui/format.js";

test("numbers are compact from ten thousand on", () => {
  const cases = [[0, "0"], [7, "7"], [9_999, "9999"], [10_000, "10K"], [12_345, "12.3K"], [999_949, "999.9K"], [1_000_000, "1M"], [10 ** 12, "1T"], [0.5, "0.5"]];
  for (const [count, text] of cases) assert.equal(formatShort(Number(count)), text);
});

test("numbers have commas, up to the largest exact integer", () => {
  assert.equal(formatNumber(0), "0");
  assert.equal(formatNumber(1_234), "1,234");
  assert.equal(formatNumber(-1_234_567), "-1,234,567");
  assert.equal(formatNumber(Number.MAX_SAFE_INTEGER), "9,007,199,254,740,991");
});

test("a duration has a suitable unit", () => {
  const cases = [[0, 500, "0.0 s"], [1, 500, "0.5 s"], [19, 500, "9.5 s"], [20, 500, "10 s"], [178, 500, "89 s"], [180, 500, "2 min"], [10_799, 500, "90 min"], [10_800, 500, "1.5 h"], [1, 1, "0.0 s"]];
  for (const [ticks, periodMs, text] of cases) assert.equal(formatDuration(Number(ticks), Number(periodMs)), text);
});

test("a time has date and time", () => {
  const text = formatTime(Date.UTC(2026, 10, 28, 12, 34, 56));
  assert.match(text, /26/);
  assert.match(text, /34/);
});
