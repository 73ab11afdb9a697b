// Lines over time. Dragging chooses a range of time for every page.
import { html, useEffect, useRef } from "../shell/ui.js";
import { clock } from "../shell/format.js";
import { setParams } from "../shell/place.js";
import { color, painted } from "../shell/theme.js";
import uPlot from "../vendor/uplot.js";

/**
 * @typedef {{label: string, values: (number | null)[], color?: string, dash?: number[], fill?: boolean}} Line
 * `color` is the name of a colour of the style, such as "--hue-1"
 */

/**
 * @param {object} given
 * @param {string} given.label for screen readers
 * @param {number[]} given.times unix milliseconds
 * @param {Line[]} given.lines
 * @param {(value: number) => string} given.format of a value
 * @param {number} [given.height]
 * @param {(at: number) => void} [given.onPoint] called with the time of a click
 */
export function Chart({ label, times, lines, format, height = 140, onPoint }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const data = [times.map((at) => at / 1000), ...lines.map((line) => line.values)];
  const shape = `${painted.value} ${height} ${lines.map((line) => `${line.label} ${line.color}`).join()}`;

  useEffect(() => {
    const element = /** @type {HTMLDivElement} */ (box.current);
    const options = settings({ element, height, lines, format, onPoint });
    plot.current = new uPlot(options, data, element);
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.current.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [times, ...lines.map((line) => line.values)]);

  const last = lines.map((line) => `${line.label} ${format(line.values.findLast((value) => value !== null) ?? 0)}`).join(", ");
  return html`<div class="chart" role="img" aria-label=${`${label}: ${last}`} ref=${box}></div>`;
}

/** @param {any} given */
function settings({ element, height, lines, format, onPoint }) {
  const grid = { stroke: color("--line"), width: 1 };
  const axis = { stroke: color("--muted"), grid, ticks: grid, font: "11px system-ui" };
  return {
    width: element.clientWidth || 300,
    height,
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 5 } },
    legend: { live: true },
    axes: [
      { ...axis, size: 28, space: 70, values: (/** @type {any} */ _, /** @type {number[]} */ times) => times.map((at) => (at % 60 ? clock(at * 1000).slice(0, 8) : clock(at * 1000).slice(0, 5))) },
      { ...axis, size: 62, values: (/** @type {any} */ _, /** @type {number[]} */ values) => values.map(format) },
    ],
    scales: { y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => [Math.min(0, low ?? 0), (high || 1) * 1.08] } },
    series: [
      { value: "{HH}:{mm}:{ss}" },
      ...lines.map((/** @type {Line} */ line, /** @type {number} */ index) => {
        const stroke = color(line.color ?? `--hue-${index}`);
        const value = (/** @type {any} */ _, /** @type {number | null} */ one) => (one === null ? "–" : format(one));
        return { label: line.label, stroke, width: 1.5, dash: line.dash, fill: line.fill ? `${stroke}22` : undefined, value, spanGaps: true };
      }),
    ],
    hooks: {
      setLegend: [lastOf],
      setSelect: [(/** @type {any} */ plot) => {
        const { left, width } = plot.select;
        if (width < 4) return;
        const at = (/** @type {number} */ x) => String(Math.round(plot.posToVal(x, "x") * 1000));
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        setParams({ since: at(left), until: at(left + width), range: "" });
      }],
      setData: [lastOf],
      ready: [lastOf, (/** @type {any} */ plot) => onPoint && plot.over.addEventListener("click", () => {
        if (plot.cursor.idx !== null && plot.cursor.idx !== undefined) onPoint(plot.data[0][plot.cursor.idx] * 1000);
      })],
    },
  };
}

/** Show the last values while nobody points at others. @param {any} plot */
function lastOf(plot) {
  const last = plot.data[0].length - 1;
  if (last >= 0 && (plot.legend.idx === null || plot.legend.idx === undefined)) plot.setLegend({ idx: last }, false);
}
