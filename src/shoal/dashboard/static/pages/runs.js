// The recorded runs, and two of them compared.
import { html } from "../shell/ui.js";
import { useQuery } from "../shell/data.js";
import { link, param, params, setParams } from "../shell/place.js";
import { bytes, duration, moment, number, percent } from "../shell/format.js";
import { Text } from "../parts/fields.js";
import { Badge, Empty, Service, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";

const END = /** @type {"end"} */ ("end");

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "number", title: "Run", width: "60px", cell: (run) => `#${run.number}` },
  { name: "system", title: "System", width: "minmax(8rem, 1fr)", cell: (run) => html`${run.system} ${run.live && html`<${Badge} kind="good">live<//>`} ${run.source && html`<span class="muted">from ${run.source}</span>`}` },
  { name: "started", title: "Started", width: "180px", cell: (run) => moment(run.started) },
  { name: "length", title: "Lasted", width: "110px", align: END, cell: (run) => duration((run.live || !run.ended ? Date.now() : run.ended) - run.started) },
  { name: "spans", title: "Spans", width: "80px", align: END, cell: (run) => number(run.spans) },
  { name: "logs", title: "Logs", width: "80px", align: END, cell: (run) => number(run.logs) },
  { name: "errors", title: "Failed traces", width: "100px", align: END, cell: (run) => html`<span class=${run.errors ? "bad-text" : ""}>${number(run.errors)}</span>` },
  { name: "size", title: "Size", width: "80px", align: END, cell: (run) => bytes(run.size_bytes) },
  { name: "export", title: "Export", width: "70px", cell: (run) => html`<a href=${`/api/runs/${run.number}/export`} download>File</a>` },
  { name: "pick", title: "Diff", tip: "choose two to see what changed", width: "40px", cell: (run) => html`<${Pick} number=${String(run.number)} />` },
];

export default function Runs() {
  return param("before") && param("after") ? html`<${Compared} before=${param("before")} after=${param("after")} />` : html`<${List} />`;
}

function List() {
  const { data, error } = useQuery("/api/runs", {}, { on: "runs" });
  const items = data?.items ?? [];
  const picked = params("pick").map(Number).sort((a, b) => a - b);
  return html`<div class="page">
    <div class="title"><h1>Runs</h1><span class="note">the last ten are kept after the system has stopped</span><span class="spring"></span>
      ${picked.length === 2 && html`<a class="button" href=${link("runs", { before: picked[0], after: picked[1] })}>Diff of #${picked[0]} and #${picked[1]}</a>`}
    </div>
    <${Trouble} error=${error} />
    ${data && items.length === 0
      ? html`<${Empty} title="No run is recorded yet" command="shoal run">Every run is recorded as long as it lasts.<//>`
      : html`<${Table} label="Runs" rows=${items} columns=${COLUMNS} id=${(/** @type {any} */ run) => String(run.number)}
          href=${(/** @type {any} */ run) => link("traces", { run: run.number === items[0].number ? "" : run.number, range: "run", since: "", until: "" })} />`}
  </div>`;
}

/** @param {{number: string}} given */
function Pick({ number }) {
  const picked = params("pick");
  const turn = () => setParams({ pick: picked.includes(number) ? picked.filter((one) => one !== number) : [...picked, number].slice(-2) });
  return html`<input type="checkbox" aria-label=${`Choose run ${number} for a diff`} checked=${picked.includes(number)} onChange=${turn} />`;
}

/** @param {string} name @param {string} title @param {(side: any) => any} value @param {(before: any, after: any) => string} [tone] */
function pair(name, title, value, tone) {
  const cell = (/** @type {any} */ one) => html`<span class=${one.before && one.after && tone ? tone(one.before, one.after) : ""}>
    ${one.before ? value(one.before) : "–"} → ${one.after ? value(one.after) : "–"}</span>`;
  return { name, title, width: "150px", align: END, cell };
}

/** Half as slow again is worse; faster by as much is better. @param {any} before @param {any} after */
function pace(before, after) {
  const factor = before.p99 && after.p99 ? after.p99 / before.p99 : 1;
  return factor > 1.5 ? "bad-text" : factor < 1 / 1.5 ? "good-text" : "";
}

/** @type {import("../parts/table.js").Column[]} */
const CHANGES = [
  { name: "change", title: "", width: "56px", cell: (one) => (one.change === "both" ? "" : html`<${Badge} kind=${one.change === "new" ? "good" : "warn"}>${one.change}<//>`) },
  { name: "name", title: "Operation", width: "minmax(14rem, 2fr)", cell: (one) => html`<${Service} name=${one.service} /> ${one.name} <span class="muted">${one.kind}</span>` },
  pair("count", "Count", (side) => number(side.count)),
  pair("rate", "Per second", (side) => number(side.rate)),
  pair("errors", "Errors", (side) => percent(side.errors), (before, after) => (after.errors > before.errors + 0.005 ? "bad-text" : after.errors < before.errors - 0.005 ? "good-text" : "")),
  pair("p50", "p50", (side) => duration(side.p50)),
  pair("p99", "p99", (side) => duration(side.p99), pace),
];

/** @param {{before: string, after: string}} given */
function Compared({ before, after }) {
  const { data, error } = useQuery("/api/runs/diff", { before, after }, { every: 5000 });
  const wanted = param("find").toLowerCase();
  const found = (data?.operations ?? []).filter((/** @type {any} */ one) => `${one.service} ${one.name} ${one.kind}`.toLowerCase().includes(wanted));
  const errors = (data?.errors ?? []).filter((/** @type {any} */ one) => one.before !== one.after);
  return html`<div class="page">
    <div class="title"><h1>Run #${before} → #${after}</h1>
      <button type="button" onClick=${() => setParams({ before: after, after: before })}>Swap</button>
      <button type="button" onClick=${() => setParams({ before: "", after: "" })}>All runs</button></div>
    <div class="bar"><${Text} name="find" label="Find" hint="service, operation" search=${true} /></div>
    <${Trouble} error=${error} />
    ${errors.length > 0 && html`<section class="panel" aria-label="Errors"><h2>Errors</h2><ul class="plain-list">${errors.map((/** @type {any} */ one) => html`
      <li key=${`${one.service} ${one.error}`}><${Service} name=${one.service} /> <span class="mono">${one.error}</span>
        <span class=${one.after > one.before ? "bad-text" : "good-text"}>${one.before} → ${one.after}</span></li>`)}</ul></section>`}
    ${data && data.operations.length === 0
      ? html`<${Empty} title="Nothing happened in either run" command="shoal call SERVICE.ENDPOINT">Operations are compared by how often, how well and how fast.<//>`
      : html`<${Table} label="Changes" rows=${found} columns=${CHANGES} id=${(/** @type {any} */ one) => `${one.service} ${one.name} ${one.kind}`}
          href=${(/** @type {any} */ one) => link("traces", { run: after, service: [one.service], operation: one.name, range: "run", since: "", until: "" })} />`}
  </div>`;
}
