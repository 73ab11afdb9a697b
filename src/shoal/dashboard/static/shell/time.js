// The range of time that is looked at: the last minutes of the run, or two moments.
import { computed } from "./ui.js";
import { param } from "./place.js";

/** Ranges that can be chosen, in milliseconds; 0 is the whole run. */
export const RANGES = { "5m": 300_000, "15m": 900_000, "1h": 3_600_000, "6h": 21_600_000, "24h": 86_400_000, run: 0 };
export const USUAL = "1h";

/** Where the run ends; set by the shell, which knows the runs. @type {{value: number}} */
export const end = { value: 0 };

export const timeWindow = {
  /** What makes two ranges different, for the names of queries. */
  key: computed(() => [param("range", USUAL), param("since"), param("until")]),

  /** Since and until as the server takes them, at this moment. @returns {{since?: number, until?: number}} */
  bounds() {
    const [range, since, until] = this.key.value;
    if (since) return { since: Number(since), until: until ? Number(until) : undefined };
    const length = RANGES[/** @type {keyof typeof RANGES} */ (range)] ?? RANGES[USUAL];
    if (!length) return {};
    return end.value ? { since: end.value - length } : { since: Date.now() - length };
  },

  /** The bounds as two numbers, for the axis of a chart. @returns {[number, number]} */
  axis() {
    const { since, until } = this.bounds();
    return [since ?? 0, until ?? (end.value || Date.now())];
  },
};
