// Series of metrics on one axis of time: each has times of its own, near those of the others.

/** Milliseconds within which values belong to the same moment. */
const SLOT = 5000;

/**
 * @param {{times: number[], values: (number | null)[]}[]} series
 * @returns {{times: number[], values: (number | null)[][]} | null} null where there is nothing to draw
 */
export function aligned(series) {
  const slot = (/** @type {number} */ at) => Math.round(at / SLOT) * SLOT;
  const times = [...new Set(series.flatMap((one) => one.times.map(slot)))].sort((a, b) => a - b);
  if (times.length === 0) return null;
  const values = series.map((one) => {
    const known = new Map(one.times.map((at, n) => [slot(at), one.values[n]]));
    return times.map((at) => known.get(at) ?? null);
  });
  return { times, values };
}

/**
 * Add up what has the same name. @param {{name: string, times: number[], values: number[]}[]} series
 * @returns {{name: string, times: number[], values: number[]}[]}
 */
export function summed(series) {
  /** @type {Map<string, Map<number, number>>} */
  const sums = new Map();
  for (const one of series) {
    const known = sums.get(one.name) ?? new Map();
    one.times.forEach((at, n) => {
      const slot = Math.round(at / SLOT) * SLOT;
      known.set(slot, (known.get(slot) ?? 0) + (one.values[n] ?? 0));
    });
    sums.set(one.name, known);
  }
  return [...sums].map(([name, known]) => ({ name, times: [...known.keys()], values: [...known.values()] }));
}
