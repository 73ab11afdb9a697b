// Traces of one shape: the same beginning, the same services.

/** @param {any[]} traces */
export function groups(traces) {
  /** @type {Map<string, any>} */
  const found = new Map();
  for (const one of traces) {
    const services = [...one.services].sort();
    const key = [one.service, one.name, ...services].join(" ");
    const group = found.get(key) ?? { key, service: one.service, name: one.name, services, count: 0, errors: 0, least: Infinity, most: 0, times: [] };
    group.count += 1;
    group.errors += one.errors ? 1 : 0;
    group.least = Math.min(group.least, one.spans);
    group.most = Math.max(group.most, one.spans);
    group.times.push(one.ms);
    found.set(key, group);
  }
  for (const group of found.values()) {
    group.times.sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
    group.p50 = quantile(group.times, 0.5);
    group.p99 = quantile(group.times, 0.99);
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

/** The value that `share` of all do not exceed. @param {number[]} sorted @param {number} share */
export function quantile(sorted, share) {
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] : NaN;
}
