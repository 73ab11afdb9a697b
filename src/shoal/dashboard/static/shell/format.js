// Numbers, times and names as people read them.

/** A length of time. @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  if (ms < 0.0005) return "0";
  if (ms < 0.9995) return `${(ms * 1000).toFixed(ms < 0.01 ? 1 : 0)} µs`;
  if (ms < 99.95) return `${ms.toFixed(ms < 9.995 ? 2 : 1)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A number of things, short. @param {number | null | undefined} count */
export function number(count) {
  if (count === null || count === undefined || Number.isNaN(count)) return "–";
  if (Math.abs(count) >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  if (Math.abs(count) >= 1e4) return `${(count / 1e3).toFixed(1)} k`;
  return Number.isInteger(count) ? String(count) : count.toFixed(Math.abs(count) < 10 ? 2 : 1);
}

/** A part of the whole. @param {number | null | undefined} part from 0 to 1 */
export function percent(part) {
  if (part === null || part === undefined || Number.isNaN(part)) return "–";
  const share = part * 100;
  return `${share === 0 || share >= 10 ? share.toFixed(0) : share.toFixed(share < 1 ? 2 : 1)} %`;
}

/** Bytes. @param {number | null | undefined} count */
export function bytes(count) {
  if (count === null || count === undefined) return "–";
  for (const [size, unit] of /** @type {[number, string][]} */ ([[2 ** 30, "GB"], [2 ** 20, "MB"], [2 ** 10, "kB"]]))
    if (count >= size) return `${(count / size).toFixed(count / size < 10 ? 1 : 0)} ${unit}`;
  return `${count} B`;
}

/** A time of day to the millisecond. @param {number} at unix milliseconds */
export function clock(at) {
  const when = new Date(at);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const ms = String(when.getMilliseconds()).padStart(3, "0");
  return `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}.${ms}`;
}

/** A day and a time. @param {number | string} at */
export function moment(at) {
  const when = new Date(at);
  const day = when.toDateString() === new Date().toDateString() ? "today" : when.toLocaleDateString();
  return `${day} ${clock(when.getTime()).slice(0, 8)}`;
}

/** How long ago. @param {number | string} at */
export function ago(at) {
  const ms = Date.now() - new Date(at).getTime();
  return ms < 1000 ? "now" : `${duration(ms).replace(/\.\d+ s/, " s")} ago`;
}

const HUES = 10;

/** Which colour each service has: those that are known share none, as long as there are enough. @type {Map<string, number>} */
const hues = new Map();

/** Give these services their colours; the same services always get the same ones. @param {string[]} services */
export function assign(services) {
  hues.clear();
  for (const name of [...services].sort()) {
    let wanted = slot(name);
    const taken = new Set(hues.values());
    for (let n = 0; n < HUES && taken.has(wanted); n += 1) wanted = (wanted + 1) % HUES;
    hues.set(name, wanted);
  }
}

/** A colour that a service, or a replica of it, always has. @param {string} name such as "orders" or "orders-0" */
export function hue(name) {
  const known = hues.get(name) ?? hues.get(name.replace(/-\d+$/, ""));
  return `var(--hue-${known ?? slot(name)})`;
}

/** @param {string} name */
function slot(name) {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return hash % HUES;
}

/** One of it, or several. @param {number} count @param {string} one @param {string} [many] */
export function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}
