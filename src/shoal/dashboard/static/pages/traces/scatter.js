// Every trace as a dot: when it began, how long it took. Dragging a box asks what sets its traces apart.
import { html, useEffect, useRef, useState } from "../../shell/ui.js";
import { go, link, param, setParams } from "../../shell/place.js";
import { clock, duration } from "../../shell/format.js";

const HEIGHT = 120, LEFT = 62, BOTTOM = 18, TOP = 6;
const MOST = 1500;

/** The box of the address: first and last moment, shortest and longest duration. @returns {number[] | null} */
export function box() {
  const parts = param("box").split("~").map(Number);
  return parts.length === 4 && parts.every(Number.isFinite) ? parts : null;
}

/** @param {{items: any[]}} given */
export function Scatter({ items }) {
  const frame = useRef(/** @type {SVGSVGElement | null} */ (null));
  const [width, setWidth] = useState(1000);
  const [drag, setDrag] = useState(/** @type {number[] | null} */ (null));
  useEffect(() => {
    const element = /** @type {SVGSVGElement} */ (frame.current);
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const dots = items.slice(0, MOST);
  const scale = scales(dots, width);
  const begin = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    const { offsetX: x, offsetY: y } = event;
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    setDrag([x, y, x, y]);
  };
  const move = (/** @type {PointerEvent} */ event) => {
    if (!drag) return;
    const bounds = /** @type {SVGSVGElement} */ (frame.current).getBoundingClientRect();
    setDrag([drag[0], drag[1], event.clientX - bounds.left, event.clientY - bounds.top]);
  };
  const end = () => {
    if (!drag) return;
    const [x, y, to, low] = drag;
    setDrag(null);
    if (Math.abs(to - x) < 4 && Math.abs(low - y) < 4) return;
    const values = [scale.time(Math.min(x, to)), scale.time(Math.max(x, to)), scale.took(Math.max(y, low)), scale.took(Math.min(y, low))];
    setParams({ box: values.map((value, n) => value.toFixed(n < 2 ? 0 : 3)).join("~") });
  };
  const chosen = box();
  const shape = drag ?? (chosen && [scale.x(chosen[0]), scale.y(chosen[2]), scale.x(chosen[1]), scale.y(chosen[3])]);
  return html`<svg class="scatter" ref=${frame} height=${HEIGHT} role="img"
      aria-label=${`${dots.length} traces by time and duration, from ${duration(scale.low)} to ${duration(scale.high)}; the list below has each`}
      onPointerDown=${begin} onPointerMove=${move} onPointerUp=${end} onPointerCancel=${() => setDrag(null)}>
    ${scale.lines.map((ms) => html`<g key=${ms}>
      <line x1=${LEFT} x2=${width} y1=${scale.y(ms)} y2=${scale.y(ms)} class="grid" />
      <text x=${LEFT - 6} y=${scale.y(ms) + 4} text-anchor="end">${duration(ms)}</text></g>`)}
    <text x=${LEFT} y=${HEIGHT - 4}>${clock(scale.first)}</text>
    <text x=${width - 4} y=${HEIGHT - 4} text-anchor="end">${clock(scale.last)}</text>
    ${dots.map((one) => html`<circle key=${one.trace_id} cx=${scale.x(one.started)} cy=${scale.y(one.ms)} r="3.5"
        class=${one.errors ? "dot bad" : "dot"} onClick=${() => drag === null && go(link(`traces/${one.trace_id}`, {}))}>
      <title>${one.service} ${one.name} · ${duration(one.ms)} · ${clock(one.started)}</title></circle>`)}
    ${shape && html`<rect class="selection" x=${Math.min(shape[0], shape[2])} y=${Math.min(shape[1], shape[3])}
      width=${Math.abs(shape[2] - shape[0])} height=${Math.abs(shape[3] - shape[1])} />`}
  </svg>`;
}

/** Time goes to the right; durations go up by their logarithm. @param {any[]} dots @param {number} width */
function scales(dots, width) {
  const starts = dots.map((one) => one.started), times = dots.map((one) => Math.max(one.ms, 0.001));
  const first = Math.min(...starts), last = Math.max(...starts, first + 1);
  const low = Math.min(...times), high = Math.max(...times, low * 1.5);
  const [from, to] = [Math.log(low / 1.2), Math.log(high * 1.2)];
  const [wide, tall] = [width - LEFT - 8, HEIGHT - BOTTOM - TOP];
  const lines = [];
  for (let ms = 10 ** Math.floor(Math.log10(low)); ms <= high * 1.2; ms *= 10) if (ms >= low / 1.2) lines.push(ms);
  return {
    first, last, low, high, lines,
    x: (/** @type {number} */ at) => LEFT + ((at - first) / (last - first)) * wide,
    y: (/** @type {number} */ ms) => TOP + (1 - (Math.log(Math.max(ms, 0.001)) - from) / (to - from)) * tall,
    time: (/** @type {number} */ x) => first + ((x - LEFT) / wide) * (last - first),
    took: (/** @type {number} */ y) => Math.exp(from + (1 - (y - TOP) / tall) * (to - from)),
  };
}
