// A graph as SVG: every node and edge is an element that can be focused, with its words beside it.
import { html, useEffect, useRef, useState } from "../shell/ui.js";
import { go } from "../shell/place.js";

/**
 * @typedef {import("./layout.js").Laid} Laid
 * @typedef {{id: string, kind: string, label: string, note?: string, tone?: string, title: string, href?: string, width: number, height: number}} Node
 * @typedef {{id: string, source: string, target: string, tone: string, label?: string, title: string, width: number}} Edge
 */

/** What was laid out, by the names of its nodes and edges: a refresh of the numbers moves nothing. @type {Map<string, Laid>} */
const known = new Map();

/** @type {Map<string, (laid: Laid) => void>} */
const waiting = new Map();

/** Lays graphs out. It is made at once, so that it has loaded what it needs by the time at which it is known what to lay out. */
const worker = new Worker(new URL("./layout-worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => {
  known.set(data.name, data.laid);
  waiting.get(data.name)?.(data.laid);
  waiting.delete(data.name);
};

/** @param {Node[]} nodes @param {Edge[]} edges */
function nameOf(nodes, edges) {
  return JSON.stringify([nodes.map((one) => [one.id, one.width]).sort(), edges.map((one) => one.id).sort()]);
}

/** Lay a graph out, in a worker; null until it is done. @param {Node[]} nodes @param {Edge[]} edges @returns {Laid | null} */
export function useLayout(nodes, edges) {
  const name = nameOf(nodes, edges);
  const [found, setFound] = useState(/** @type {{name: string, laid: Laid} | null} */ (null));
  useEffect(() => {
    if (known.has(name) || nodes.length === 0) return undefined;
    waiting.set(name, (laid) => setFound({ name, laid }));
    const plain = (/** @type {any} */ { id, width, height, source, target }) => ({ id, width, height, source, target });
    const sorted = (/** @type {any[]} */ all) => all.map(plain).sort((a, b) => (a.id < b.id ? -1 : 1));
    worker.postMessage({ name, nodes: sorted(nodes), edges: sorted(edges) });
    return () => void waiting.delete(name);
  }, [name]);
  return known.get(name) ?? (found?.name === name ? found.laid : null);
}

/**
 * @param {object} given
 * @param {string} given.label
 * @param {Node[]} given.nodes
 * @param {Edge[]} given.edges
 * @param {string} [given.chosen] id of the edge that is open
 * @param {(id: string) => void} given.onEdge
 * @param {Set<string> | null} given.lit ids of nodes and edges that stand out; the rest is pale
 * @param {(id: string) => void} given.onLook told of the node or edge that is pointed at, or focused; empty for none
 * @param {any} [given.box] a ref to the drawing
 */
export function Drawing({ label, nodes, edges, chosen, onEdge, lit, onLook, box }) {
  const laid = useLayout(nodes, edges);
  const [view, setView] = useState({ zoom: 1, x: 0, y: 0 });
  const held = useRef(/** @type {{x: number, y: number} | null} */ (null));
  if (!laid) return html`<div class="loading" aria-busy="true"></div>`;
  const zoom = (/** @type {number} */ by) => setView((/** @type {any} */ v) => ({ ...v, zoom: Math.max(0.2, Math.min(5, v.zoom * by)) }));
  const move = (/** @type {PointerEvent} */ event) => {
    if (!held.current) return;
    const { x, y } = held.current;
    held.current = { x: event.clientX, y: event.clientY };
    setView((/** @type {any} */ v) => ({ ...v, x: v.x + event.clientX - x, y: v.y + event.clientY - y }));
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const by = { "+": 1.25, "-": 0.8 }[event.key];
    if (by) zoom(by);
  };
  const pale = (/** @type {string} */ id) => (lit && !lit.has(id) ? "pale" : "");
  const look = (/** @type {string} */ id) => ({
    onPointerEnter: () => onLook(id), onPointerLeave: () => onLook(""), onFocus: () => onLook(id), onBlur: () => onLook(""),
  });
  return html`<div class="graph fill" onKeyDown=${pressed}>
    <svg ref=${box} role="group" aria-label=${label} viewBox=${`0 0 ${laid.width} ${laid.height}`} preserveAspectRatio="xMidYMid meet"
        style=${{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.zoom})` }}
        onPointerDown=${(/** @type {PointerEvent} */ e) => (held.current = e.target instanceof SVGSVGElement ? { x: e.clientX, y: e.clientY } : null)}
        onPointerMove=${move} onPointerUp=${() => (held.current = null)} onPointerLeave=${() => (held.current = null)}>
      <defs>${["call", "event", "store", "undeclared", "idle", "failing"].map((tone) => html`<marker key=${tone} id=${`head-${tone}`}
        class=${`head ${tone}`}
        viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto">
          <path d="M0 0L8 4L0 8z" /></marker>`)}</defs>
      ${edges.map((edge) => {
        const points = laid.edges[edge.id];
        if (!points) return null;
        const middle = points[Math.floor(points.length / 2)];
        return html`<g key=${edge.id} id=${`edge ${edge.id}`}
          class=${`edge ${edge.tone} ${pale(edge.id)} ${edge.id === chosen ? "chosen" : ""}`} role="button" tabindex="0"
            aria-label=${edge.title} data-edge=${edge.id} onClick=${() => onEdge(edge.id)} ...${look(edge.id)}
            onKeyDown=${(/** @type {KeyboardEvent} */ e) => (e.key === "Enter" || e.key === " ") && (e.preventDefault(), onEdge(edge.id))}>
          <title>${edge.title}</title>
          <path class="reach" d=${curve(points)} />
          <path class="line" d=${curve(points)} stroke-width=${edge.width} marker-end=${`url(#head-${edge.tone.split(" ")[0]})`} />
          ${edge.label && html`<text x=${middle.x} y=${middle.y - 4}>${edge.label}</text>`}
        </g>`;
      })}
      ${nodes.map((node) => html`<${Box} key=${node.id} node=${node} at=${laid.nodes[node.id]} pale=${pale(node.id)}
        look=${look(node.id)} />`)}
    </svg>
    <div class="zoom"><button type="button" aria-label="Larger" onClick=${() => zoom(1.25)}>+</button>
      <button type="button" aria-label="Smaller" onClick=${() => zoom(0.8)}>−</button>
      <button type="button" onClick=${() => setView({ zoom: 1, x: 0, y: 0 })}>Fit</button></div>
  </div>`;
}

/** @param {{node: Node, at: {x: number, y: number} | undefined, pale: string, look: object}} given */
function Box({ node, at, pale, look }) {
  if (!at) return null;
  const { width, height } = node;
  const drawn = html`<title>${node.title}</title>
    ${shape(node.kind, width, height)}
    <text class="name" y=${node.note ? -2 : 4}>${node.label}</text>
    ${node.note && html`<text class="sub" y="12">${node.note}</text>`}`;
  const given = { class: `node ${node.kind} ${node.tone ?? ""} ${pale}`, transform: `translate(${at.x} ${at.y})`, "aria-label": node.title, "data-node": node.id, ...look };
  const follow = (/** @type {MouseEvent} */ event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(node.href ?? "");
  };
  return node.href ? html`<a href=${node.href}
    onClick=${follow} ...${given}>${drawn}</a>` : html`<g role="img" tabindex="0" ...${given}>${drawn}</g>`;
}

/** @param {string} kind @param {number} width @param {number} height */
function shape(kind, width, height) {
  const [x, y] = [-width / 2, -height / 2];
  if (kind === "store") {
    const r = 5;
    return html`<path d=${`M${x} ${y + r}a${width / 2} ${r} 0 0 1 ${width} 0v${height - 2 * r}a${width / 2} ${r} 0 0 1 ${-width} 0zM${x} ${y + r}a${width / 2} ${r} 0 0 0 ${width} 0`} />`;
  }
  if (kind === "topic") return html`<path d=${`M${x} ${y}h${width - 8}l8 ${height / 2}l-8 ${height / 2}h${8 - width}z`} />`;
  return html`<rect x=${x} y=${y} width=${width} height=${height} rx=${kind === "gateway" ? height / 2 : kind === "external" ? 0 : 6} />`;
}

/** A smooth line through points. @param {{x: number, y: number}[]} points */
function curve(points) {
  const [first, ...rest] = points;
  let text = `M${first.x.toFixed(1)} ${first.y.toFixed(1)}`;
  for (let n = 0; n < rest.length - 1; n += 1) {
    const [a, b] = [rest[n], rest[n + 1]];
    const last = n === rest.length - 2;
    const end = last ? b : { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    text += `Q${a.x.toFixed(1)} ${a.y.toFixed(1)} ${end.x.toFixed(1)} ${end.y.toFixed(1)}`;
  }
  if (rest.length === 1) text += `L${rest[0].x.toFixed(1)} ${rest[0].y.toFixed(1)}`;
  return text;
}

const KEPT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-family", "font-size", "font-weight", "text-anchor", "opacity"];

/** Write a drawing as a file of its own, with its colours in it. @param {SVGSVGElement} svg */
export function standalone(svg) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const [from, to] = [[...svg.querySelectorAll("*")], [...copy.querySelectorAll("*")]];
  from.forEach((element, n) => {
    const style = getComputedStyle(element);
    if (element.closest(".reach")) return;
    for (const name of KEPT) to[n].setAttribute(name, style.getPropertyValue(name));
  });
  copy.querySelectorAll(".reach").forEach((one) => one.remove());
  copy.querySelectorAll("a").forEach((one) => one.removeAttribute("href"));
  copy.removeAttribute("style");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(copy);
}
