// From spans to rows: who called whom, what the trace waited for, what was asked again and again. Pure.

/**
 * @typedef {object} Node
 * @property {any} span
 * @property {Node[]} children
 * @property {Node | null} parent
 * @property {number} depth
 * @property {boolean} open not ended, or not recorded: only its children are known
 * @property {[number, number][]} critical parts of it for which the whole trace waited
 * @property {number} own milliseconds in which none of its children worked
 * @property {number} repeated how often the same statement stands beside it; 0 where that is no matter
 *
 * @typedef {{roots: Node[], all: Map<string, Node>, begin: number, end: number, services: string[], repeats: any[]}} Tree
 *
 * @typedef {{kind: "span" | "group" | "log", id: string, depth: number, node: Node, group?: Node[], log?: any}} Row
 */

/** Statements with the same text under one parent, from this many on. */
export const REPEATED = 5;

/** Siblings of one name that are folded into one row, from this many on. */
export const CROWD = 12;

/** Milliseconds by which a child may end after its parent and still have been waited for. */
const SKEW = 2;

/** Milliseconds after which nobody believes any more that a span still goes on. */
const PATIENCE = 15_000;

/** @param {any[]} spans @param {number} [now] unix milliseconds: what is open, and was heard of just now, lasts until then @returns {Tree} */
export function grow(spans, now = 0) {
  /** @type {Map<string, Node>} */
  const all = new Map();
  for (const span of spans) all.set(span.span_id, node(span, false));
  /** @type {Node[]} */
  const roots = [];
  for (const one of [...all.values()]) {
    const id = one.span.parent_id;
    if (!id) {
      roots.push(one);
      continue;
    }
    let parent = all.get(id);
    if (!parent) {
      parent = node(placeholder(id, one.span), true);
      all.set(id, parent);
      roots.push(parent);
    }
    one.parent = parent;
    parent.children.push(one);
    if (parent.open) stretch(parent.span, one.span);
  }
  const seen = new Set();
  for (const root of roots) sortAndCount(root, 0, seen);
  for (const one of all.values()) // a ring of parents has no beginning: it is cut where it is met
    if (!seen.has(one)) {
      if (one.parent) one.parent.children = one.parent.children.filter((child) => child !== one);
      one.parent = null;
      roots.push(one);
      sortAndCount(one, 0, seen);
    }
  roots.sort(byBegin);
  let begin = Infinity, end = -Infinity;
  for (const { span } of all.values()) {
    begin = Math.min(begin, span.started);
    end = Math.max(end, span.started + span.ms);
  }
  for (const { open, span } of all.values())
    if (open && now - span.started - span.ms < PATIENCE) {
      span.ms = Math.max(span.ms, now - span.started);
      end = Math.max(end, now);
    }
  for (const root of roots) critical(root, root.span.started + root.span.ms);
  const services = [...new Set(spans.map((span) => span.service))];
  return { roots, all, begin: spans.length ? begin : 0, end: spans.length ? end : 0, services, repeats: repeats(all) };
}

/** @param {any} span @param {boolean} open @returns {Node} */
function node(span, open) {
  return { span, children: [], parent: null, depth: 0, open, critical: [], own: span.ms, repeated: 0 };
}

/** @param {string} id @param {any} child */
function placeholder(id, child) {
  return {
    span_id: id, parent_id: "", service: child.kind === "consumer" ? "" : child.service, replica: "", kind: "internal", name: "not ended, or not recorded",
    started: child.started, ms: child.ms, status: "unset", message: "", attributes: {}, events: [], links: [],
  };
}

/** @param {any} span @param {any} child */
function stretch(span, child) {
  const end = Math.max(span.started + span.ms, child.started + child.ms);
  span.started = Math.min(span.started, child.started);
  span.ms = end - span.started;
}

/** @param {Node} a @param {Node} b */
function byBegin(a, b) {
  return a.span.started - b.span.started || b.span.ms - a.span.ms;
}

/** Depths, order, and the time of its own, without recursion: a trace may be thousands deep. @param {Node} root @param {number} depth @param {Set<Node>} seen */
function sortAndCount(root, depth, seen) {
  const waiting = [root];
  root.depth = depth;
  while (waiting.length) {
    const one = /** @type {Node} */ (waiting.pop());
    if (seen.has(one)) continue;
    seen.add(one);
    one.children.sort(byBegin);
    one.own = Math.max(0, one.span.ms - covered(one));
    for (const child of one.children) {
      child.depth = one.depth + 1;
      waiting.push(child);
    }
  }
}

/** Milliseconds of a span in which at least one child worked. @param {Node} one */
function covered(one) {
  const begin = one.span.started, end = begin + one.span.ms;
  let sum = 0, until = begin;
  for (const { span } of one.children) {
    const from = Math.max(span.started, until), to = Math.min(span.started + span.ms, end);
    if (to > from) {
      sum += to - from;
      until = to;
    }
  }
  return sum;
}

/**
 * Mark what the end of a span waited for: back from its end, always the child that ended last before that.
 * @param {Node} root @param {number} end
 */
function critical(root, end) {
  /** @type {[Node, number][]} */
  const waiting = [[root, end]];
  while (waiting.length) {
    const [one, last] = /** @type {[Node, number]} */ (waiting.pop());
    let until = Math.min(last, one.span.started + one.span.ms);
    const children = one.children.filter((child) => child.span.started < until).sort((a, b) => ended(b) - ended(a));
    for (const child of children) {
      if (child.span.started >= until || !awaited(one, child, until)) continue;
      const stop = Math.min(ended(child), until);
      if (until > stop) one.critical.push([stop, until]);
      waiting.push([child, stop]);
      until = Math.min(until, child.span.started);
    }
    if (until > one.span.started) one.critical.push([one.span.started, until]);
  }
}

/**
 * Whether a child was waited for: not what an event began, nor what went on by itself. Two processes do not end their spans at
 * the same moment, so a little is forgiven.
 * @param {Node} one @param {Node} child @param {number} until
 */
function awaited(one, child, until) {
  return child.span.kind !== "consumer" && ended(child) <= until + Math.max(SKEW, one.span.ms * 0.05);
}

/** @param {Node} one */
function ended(one) {
  return one.span.started + one.span.ms;
}

/** Find statements that were asked again and again under one parent, and mark them. @param {Map<string, Node>} all */
function repeats(all) {
  const found = [];
  for (const parent of all.values()) {
    /** @type {Map<string, Node[]>} */
    const by = new Map();
    for (const child of parent.children) {
      const text = child.span.attributes["db.query.text"];
      if (!text) continue;
      const key = `${child.span.service} ${text}`;
      by.set(key, [...(by.get(key) ?? []), child]);
    }
    for (const same of by.values())
      if (same.length >= REPEATED) {
        for (const one of same) one.repeated = same.length;
        const ms = same.reduce((sum, one) => sum + one.span.ms, 0);
        found.push({ parent, count: same.length, name: same[0].span.name, text: same[0].span.attributes["db.query.text"], ms, first: same[0] });
      }
  }
  return found.sort((a, b) => b.count - a.count);
}

/**
 * The rows that are shown.
 * @param {Tree} tree
 * @param {{folded: Set<string>, unfolded: Set<string>, logs: Map<string, any[]> | null}} how
 * @returns {Row[]}
 */
export function rows(tree, { folded, unfolded, logs }) {
  /** @type {Row[]} */
  const found = [];
  /** @type {({node: Node} | {group: Node[], key: string})[]} */
  const waiting = tree.roots.map((node) => ({ node })).reverse();
  while (waiting.length) {
    const next = /** @type {any} */ (waiting.pop());
    if (next.group) {
      found.push({ kind: "group", id: next.key, depth: next.group[0].depth, node: next.group[0], group: next.group });
      if (unfolded.has(next.key)) for (const one of [...next.group].reverse()) waiting.push({ node: one });
      continue;
    }
    const one = /** @type {Node} */ (next.node);
    found.push({ kind: "span", id: one.span.span_id, depth: one.depth, node: one });
    if (folded.has(one.span.span_id)) continue;
    for (const log of logs?.get(one.span.span_id) ?? []) found.push({ kind: "log", id: `log-${log.id}`, depth: one.depth + 1, node: one, log });
    for (const item of crowds(one.children).reverse()) waiting.push(item);
  }
  return found;
}

/** Siblings in their order; many of one name become one. @param {Node[]} children @returns {({node: Node} | {group: Node[], key: string})[]} */
function crowds(children) {
  if (children.length < CROWD) return children.map((node) => ({ node }));
  /** @type {Map<string, Node[]>} */
  const by = new Map();
  for (const one of children) {
    const key = `${one.span.service} ${one.span.name}`;
    const same = by.get(key);
    if (same) same.push(one);
    else by.set(key, [one]);
  }
  return [...by.values()].flatMap((same) =>
    /** @type {any[]} */ (same.length >= CROWD ? [{ group: same, key: `group-${same[0].span.span_id}` }] : same.map((node) => ({ node }))),
  ).sort((a, b) => byBegin(a.node ?? a.group[0], b.node ?? b.group[0]));
}

/**
 * What waited before a span: in a queue, in an outbox, between two attempts.
 * @param {any} span @returns {{ms: number, what: string} | null}
 */
export function waited(span) {
  const { attributes } = span;
  if (attributes["shoal.queue_ms"] > 0) return { ms: attributes["shoal.queue_ms"], what: "in the queue" };
  if (attributes["shoal.outbox.wait_ms"] > 0) return { ms: attributes["shoal.outbox.wait_ms"], what: "in the outbox" };
  const pause = attributes["shoal.wait_ms"];
  return pause > 0 ? { ms: pause, what: "before this attempt" } : null;
}

/** Which attempt a span is; 0 where there was only one. @param {any} span */
export function attempt(span) {
  const again = Number(span.attributes["http.request.resend_count"] ?? 0);
  return again > 0 ? again + 1 : Number(span.attributes["shoal.attempt"] ?? 0) > 1 ? Number(span.attributes["shoal.attempt"]) : 0;
}

/** Compare two traces by the way to each span. @param {Tree} one @param {Tree} other */
export function differ(one, other) {
  /** @type {Map<string, any>} */
  const found = new Map();
  for (const [side, tree] of /** @type {[0 | 1, Tree][]} */ ([[0, one], [1, other]])) {
    /** @type {[Node, string][]} */
    const waiting = tree.roots.map((root) => /** @type {[Node, string]} */ ([root, ""])).reverse();
    while (waiting.length) {
      const [node, way] = /** @type {[Node, string]} */ (waiting.pop());
      const own = `${way}\n${node.span.service} ${node.span.name}`;
      let line = found.get(own);
      if (!line) found.set(own, (line = { key: own, depth: node.depth, service: node.span.service, name: node.span.name, count: [0, 0], ms: [0, 0], errors: [0, 0] }));
      line.count[side] += 1;
      line.ms[side] += node.span.ms;
      line.errors[side] += node.span.status === "error" ? 1 : 0;
      for (const child of [...node.children].reverse()) waiting.push([child, own]);
    }
  }
  return inOrder([...found.values()]);
}

/** Lines of the second trace take their place below their parents. @param {any[]} lines */
function inOrder(lines) {
  /** @type {Map<string, any[]>} */
  const below = new Map();
  for (const line of lines) {
    const way = line.key.slice(0, line.key.lastIndexOf("\n"));
    below.set(way, [...(below.get(way) ?? []), line]);
  }
  const found = [], waiting = [...(below.get("") ?? [])].reverse();
  while (waiting.length) {
    const line = waiting.pop();
    found.push(line);
    waiting.push(...[...(below.get(line.key) ?? [])].reverse());
  }
  return found;
}
