// Two traces beside each other: the same ways, how often, how long.
import { html, useMemo } from "../../shell/ui.js";
import { useQuery } from "../../shell/data.js";
import { go, link, setParams } from "../../shell/place.js";
import { duration, moment } from "../../shell/format.js";
import { Service, Trouble } from "../../parts/states.js";
import { Table } from "../../parts/table.js";
import { differ, grow } from "./tree.js";

const END = /** @type {"end"} */ ("end");

/** @type {import("../../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "name", title: "Span", width: "minmax(16rem, 2fr)", cell: (one) => html`<span style=${{ paddingLeft: `${one.depth * 12}px` }}><${Service} name=${one.service} /> ${one.name}</span>` },
  { name: "a", title: "In the first", width: "90px", align: END, cell: (one) => one.count[0] || "–" },
  { name: "b", title: "In the second", width: "100px", align: END, cell: (one) => one.count[1] || "–" },
  { name: "ams", title: "Took", width: "90px", align: END, cell: (one) => (one.count[0] ? duration(one.ms[0]) : "–") },
  { name: "bms", title: "Took", width: "90px", align: END, cell: (one) => (one.count[1] ? duration(one.ms[1]) : "–") },
  { name: "change", title: "Difference", width: "120px", align: END, cell: (one) => html`<span class=${tone(one)}>${change(one)}</span>` },
  { name: "errors", title: "Errors", width: "90px", align: END, cell: (one) => (one.errors[0] || one.errors[1] ? `${one.errors[0]} → ${one.errors[1]}` : "") },
];

/** @param {{one: string, other: string}} given */
export function Diff({ one, other }) {
  const first = useQuery(`/api/traces/${one}`, {}, { on: "" }), second = useQuery(`/api/traces/${other}`, {}, { on: "" });
  const lines = useMemo(() => (first.data && second.data ? differ(grow(first.data.spans), grow(second.data.spans)) : []), [first.data, second.data]);
  const swap = () => go(link(`traces/${other}`, { against: one }));
  return html`<div class="page">
    <div class="title"><h1>Two traces</h1><button type="button" onClick=${swap}>Swap</button>
      <button type="button" onClick=${() => setParams({ against: "" })}>Only the first</button></div>
    <${Trouble} error=${first.error ?? second.error} />
    <div class="bar">${[first.data, second.data].map((data, n) => data && html`<span key=${n}>${n ? "second: " : "first: "}
      <a class="mono" href=${link(`traces/${data.trace_id}`, {})}>${data.trace_id.slice(0, 12)}</a> ${duration(data.ms)} · ${data.total} spans · ${moment(data.started)}</span>`)}</div>
    <${Table} label="Differences" rows=${lines} columns=${COLUMNS} id=${(/** @type {any} */ line) => line.key}
      tone=${(/** @type {any} */ line) => (!line.count[0] || !line.count[1] ? "warn" : "")} />
  </div>`;
}

/** @param {any} one */
function change(one) {
  if (!one.count[0]) return "only in the second";
  if (!one.count[1]) return "only in the first";
  const ms = one.ms[1] - one.ms[0];
  return `${ms < 0 ? "−" : "+"} ${duration(Math.abs(ms))}`;
}

/** @param {any} one */
function tone(one) {
  const ms = one.ms[1] - one.ms[0];
  if (!one.count[0] || !one.count[1]) return "warn-text";
  return Math.abs(ms) < 0.2 * Math.max(one.ms[0], one.ms[1]) ? "muted" : ms > 0 ? "bad-text" : "good-text";
}
