/** Numbers and times as people read them. */

const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat("en");
const CLOCK = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

/** @param {number} count */
export function short(count) {
  return count < 10_000 ? String(count) : COMPACT.format(count);
}

/** @param {number} count */
export function whole(count) {
  return WHOLE.format(count);
}

/** @param {number} timestampMs */
export function clock(timestampMs) {
  return CLOCK.format(timestampMs);
}

/** @param {number} ticks @param {number} periodMs */
export function duration(ticks, periodMs) {
  const seconds = (ticks * periodMs) / 1000;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
