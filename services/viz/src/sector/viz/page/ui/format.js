/** Formats numbers, times and durations. */

const COMPACT_NUMBER = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const WHOLE_NUMBER = new Intl.NumberFormat("en");
const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

/** @param {number} count */
export function formatShort(count) {
  return count < 10_000 ? String(count) : COMPACT_NUMBER.format(count);
}

/** @param {number} count */
export function formatNumber(count) {
  return WHOLE_NUMBER.format(count);
}

/** @param {number} timestampMs */
export function formatTime(timestampMs) {
  return DATE_TIME.format(timestampMs);
}

/** @param {number} ticks @param {number} periodMs */
export function formatDuration(ticks, periodMs) {
  const seconds = (ticks * periodMs) / 1000;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
