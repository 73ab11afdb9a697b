// From what the server says of the map to what is drawn: which nodes and ways are shown, their tones and their words.
import { duration, number, percent } from "../shell/format.js";
import { link } from "../shell/place.js";

/**
 * @typedef {{id: string, kind: string, label: string, summary: string, source: string, depth: number, chain: string[], health: string,
 *   ready: number, replicas: number, declared: boolean, count: number, errors: number, rate: number}} Place
 * @typedef {{id: string, source: string, target: string, kind: string, standing: string, names: string[], count: number, errors: number,
 *   rate: number, p50: number | null, p99: number | null, circuit: string | null, fault: string, where: string}} Way
 */

const MANY = 60;

/** What is hidden when nothing is said: of a large system all but services. @param {Place[]} nodes @returns {string[]} */
export function usuallyHidden(nodes) {
  return nodes.filter((one) => one.kind === "service").length > MANY ? ["topics", "stores"] : [];
}

/**
 * Choose what is drawn. Where topics are hidden, whoever says an event is joined to whoever hears it.
 * @param {Place[]} nodes @param {Way[]} ways @param {string[]} hidden `topics`, `stores`, `idle` @returns {{nodes: Place[], ways: Way[]}}
 */
export function selected(nodes, ways, hidden) {
  let [kept, shown] = [nodes, ways];
  if (hidden.includes("stores")) kept = kept.filter((one) => one.kind !== "store");
  if (hidden.includes("topics")) {
    const topics = new Set(kept.filter((one) => one.kind === "topic").map((one) => one.id));
    kept = kept.filter((one) => !topics.has(one.id));
    shown = [...shown.filter((way) => !topics.has(way.source) && !topics.has(way.target)), ...direct(ways, topics)];
  }
  if (hidden.includes("idle")) shown = shown.filter((way) => way.standing !== "idle");
  const names = new Set(kept.map((one) => one.id));
  return { nodes: kept, ways: shown.filter((way) => names.has(way.source) && names.has(way.target)) };
}

/** @param {Way[]} ways @param {Set<string>} topics @returns {Way[]} */
function direct(ways, topics) {
  /** @type {Map<string, Way>} */
  const found = new Map();
  for (const heard of ways.filter((way) => topics.has(way.source)))
    for (const said of ways.filter((way) => way.target === heard.source)) {
      const id = `${said.source}→${heard.target}`;
      const before = found.get(id);
      const names = [...(before?.names ?? []), heard.source];
      const [count, errors, rate] = [(before?.count ?? 0) + heard.count, (before?.errors ?? 0) + heard.errors, (before?.rate ?? 0) + heard.rate];
      const standing = before?.standing === "active" || heard.standing === "active" ? "active" : heard.standing;
      const p99 = Math.max(before?.p99 ?? 0, heard.p99 ?? 0) || null;
      found.set(id, { ...heard, id: `${id} (events)`, source: said.source, target: heard.target, names, count, errors, rate, p99, standing });
    }
  return [...found.values()];
}

/** Put what was seen at one time in the place of what the map has. @param {Way[]} ways @param {any[]} seen @returns {Way[]} */
export function replaced(ways, seen) {
  /** @type {Map<string, any>} */
  const sums = new Map();
  for (const one of seen) {
    const id = `${one.source}→${one.target}`;
    const before = sums.get(id) ?? { count: 0, errors: 0, rate: 0, p50: null, p99: null };
    sums.set(id, { count: before.count + one.count, errors: before.errors + one.errors, rate: before.rate + one.rate,
      p50: Math.max(before.p50 ?? 0, one.p50 ?? 0), p99: Math.max(before.p99 ?? 0, one.p99 ?? 0) });
  }
  return ways.map((way) => {
    const now = sums.get(way.id);
    if (way.standing === "undeclared") return { ...way, ...(now ?? { count: 0, errors: 0, rate: 0 }) };
    return { ...way, count: 0, errors: 0, rate: 0, p50: null, p99: null, ...now, standing: now ? "active" : "idle", circuit: null, fault: "" };
  });
}

/** @param {Place} one */
export function nodeOf(one) {
  const health = one.health ? `, ${one.health}${one.replicas > 1 ? `, ${one.ready} of ${one.replicas} replicas are ready` : ""}` : "";
  const depth = one.depth ? `, up to ${one.depth} calls below it: ${one.chain.join(" → ")}` : "";
  const busy = one.count ? `, ${number(one.rate)} a second` : "";
  const note = one.count ? `${number(one.rate)}/s${one.errors ? ` · ${percent(one.errors / one.count)} ✗` : ""}` : "";
  return {
    id: one.id, kind: one.kind, label: one.label, note, title: `${one.kind} ${one.label}${health}${busy}${depth}`,
    tone: [one.health === "up" ? "good" : one.health ? "bad" : "", one.declared ? "" : "undeclared"].join(" "),
    href: one.kind === "service" ? link(`service/${one.id}`) : one.kind === "topic" ? link("events", { event: one.id })
      : one.kind === "gateway" ? link("gateway") : one.kind === "store" ? link("data", { of: one.id.split("/")[0] }) : undefined,
    width: Math.max(64, one.label.length * 7 + 22), height: 36,
  };
}

/** @param {Way} way @param {boolean} worded */
export function edgeOf(way, worded) {
  const failing = way.count > 0 && way.errors / way.count >= 0.05;
  const tone = way.standing === "undeclared" ? "undeclared" : failing || way.circuit === "open" ? `failing ${way.kind}` : way.standing === "idle" ? `idle ${way.kind}` : way.kind;
  const marks = [way.circuit === "open" ? "⏻ open" : way.circuit === "half-open" ? "⏻ half-open" : "", way.fault ? "⚡ fault" : ""].filter(Boolean).join(" ");
  const numbers = way.count ? `${number(way.rate)}/s · p99 ${duration(way.p99)}${way.errors ? ` · ${percent(way.errors / way.count)} ✗` : ""}` : "";
  return {
    id: way.id, source: way.source, target: way.target, tone, title: told(way),
    label: [marks, worded ? numbers : ""].filter(Boolean).join(" · "),
    width: Math.min(5, 1 + Math.log10(1 + way.rate * 10)),
  };
}

/** Say all of a way in words. @param {Way} way */
export function told(way) {
  const what = { call: "calls", event: "event", store: "uses" }[way.kind] ?? way.kind;
  const seen = way.count ? `${number(way.rate)} a second, p99 ${duration(way.p99)}, ${percent(way.errors / way.count)} errors` : "declared but idle";
  return [`${way.source} ${what} ${way.target}`, way.standing === "undeclared" ? "nobody declared it" : "", seen,
    way.circuit ? `circuit breaker ${way.circuit}` : "", way.fault ? `fault on purpose: ${way.fault}` : ""].filter(Boolean).join(", ");
}
