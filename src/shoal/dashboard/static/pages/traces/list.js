// The list: a form instead of a language, every trace as a dot, and what sets a selection apart.
import { html } from "../../shell/ui.js";
import { useQuery } from "../../shell/data.js";
import { link, param, params, setParams } from "../../shell/place.js";
import { usePages } from "../../shell/pages.js";
import { clock, duration, number, plural } from "../../shell/format.js";
import { Choice, Saved, Text, Toggle } from "../../parts/fields.js";
import { Empty, Service, Trouble } from "../../parts/states.js";
import { Table } from "../../parts/table.js";
import { Compare } from "./compare.js";
import { groups } from "./groups.js";
import { Scatter } from "./scatter.js";

const FILTERS = ["operation", "errors", "min_ms", "max_ms", "text", "attribute", "service"];
const END = /** @type {"end"} */ ("end");
const PROBES = /^GET \/(health|ready|live|metrics|version)/;

/** Whether nobody asked for it: probes, and work in the background that is well. @param {any} one */
const quiet = (one) => PROBES.test(one.name) || (one.kind === "internal" && !one.errors);

/** @type {import("../../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "name", title: "Trace", width: "minmax(14rem, 2fr)", cell: (one) => html`<${Service} name=${one.service || "?"} /> ${one.name || "still open"}` },
  { name: "started", title: "Began", width: "100px", cell: (one) => clock(one.started) },
  { name: "ms", title: "Took", width: "90px", align: END, cell: (one) => duration(one.ms) },
  { name: "spans", title: "Spans", width: "60px", align: END, cell: (one) => number(one.spans) },
  {
    name: "errors", title: "Errors", width: "60px", align: END,
    cell: (one) => (one.errors ? html`<span class="bad-text">${number(one.errors)}</span>` : "0"),
  },
  { name: "services", title: "Services", width: "minmax(8rem, 1.4fr)", cell: (one) => one.services.join(" · ") },
  { name: "id", title: "Id", width: "90px", cell: (one) => html`<span class="mono muted">${one.trace_id.slice(-8)}</span>` },
  { name: "pick", title: "Diff", tip: "choose two to see what differs", width: "40px", cell: (one) => html`<${Pick} id=${one.trace_id} />` },
];

/** @type {import("../../parts/table.js").Column[]} */
const GROUPS = [
  { name: "name", title: "Shape", width: "minmax(14rem, 2fr)", cell: (one) => html`<${Service} name=${one.service} /> ${one.name}` },
  { name: "services", title: "Services", width: "minmax(8rem, 1.6fr)", cell: (one) => one.services.join(" · ") },
  { name: "count", title: "Traces", width: "70px", align: END, cell: (one) => number(one.count) },
  { name: "errors", title: "With errors", width: "90px", align: END, cell: (one) => html`<span class=${one.errors ? "bad-text" : ""}>${number(one.errors)}</span>` },
  { name: "spans", title: "Spans", width: "90px", align: END, cell: (one) => (one.least === one.most ? one.most : `${one.least}–${one.most}`) },
  { name: "p50", title: "p50", width: "90px", align: END, cell: (one) => duration(one.p50) },
  { name: "p99", title: "p99", width: "90px", align: END, cell: (one) => duration(one.p99) },
];

export function List() {
  const wanted = Object.fromEntries(FILTERS.map((name) => [name, name === "service" ? params(name)[0] ?? "" : param(name)]));
  const { data: names } = useQuery("/api/names", {}, { every: 10_000 });
  const { items, error, loading, ready, more } = usePages("/api/traces", { ...wanted, errors: wanted.errors ? "true" : "" }, {
    id: (one) => one.trace_id, at: (one) => one.started, limit: 300,
  });
  const shown = param("probes") ? items : items.filter((one) => !quiet(one));
  const hidden = items.length - shown.length;
  const grouped = param("view") === "groups";
  const picked = params("pick");
  const missing = error?.status === 404;
  return html`<div class="page">
    <div class="title"><h1>Traces</h1>
      <div class="choice" role="group" aria-label="View">
        <button type="button" aria-pressed=${!grouped} onClick=${() => setParams({ view: "" })}>List</button>
        <button type="button" aria-pressed=${grouped} onClick=${() => setParams({ view: "groups" })}>Groups by shape</button>
      </div>
      <span class="note">${plural(shown.length, "trace")}${more ? ", and older ones" : ""}</span>
      ${(hidden > 0 || param("probes")) && html`<button type="button" class="link" onClick=${() => setParams({ probes: param("probes") ? "" : "1" })}>
        ${param("probes") ? "hide background work" : `${hidden} of background work hidden`}</button>`}
      <span class="spring"></span>
      ${picked.length === 2 && html`<a class="button" href=${link(`traces/${picked[0]}`, { against: picked[1] })}>Diff of the two</a>`}
    </div>
    <form class="bar" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${Text} name="text" label="Text" hint="name, value, trace id" search=${true} />
      <${Choice} name="service" label="Service" options=${names?.services ?? []} />
      <${Choice} name="operation" label="Operation" options=${names?.operations ?? []} />
      <${Text} name="attribute" label="Attribute" hint="key=value" />
      <${Text} name="min_ms" label="Took ≥" hint="ms" type="number" />
      <${Text} name="max_ms" label="≤" hint="ms" type="number" />
      <${Toggle} name="errors" label="errors" />
      <${Saved} page="traces" names=${FILTERS} />
    </form>
    ${!missing && html`<${Trouble} error=${error} />`}
    ${shown.length > 0 && html`<${Scatter} items=${shown} />`}
    <div class="columns">
      ${ready && !loading && shown.length === 0 ? html`<${Nothing} filtered=${Object.values(wanted).some(Boolean)} />`
        : missing ? html`<${Nothing} filtered=${false} />`
        : grouped ? html`<${Table} label="Groups of traces" rows=${groups(shown)} columns=${GROUPS} id=${(/** @type {any} */ one) => one.key}
            onEnd=${more} onChoose=${(/** @type {any} */ one) => setParams({ view: "", operation: one.name, service: one.service })} />`
        : html`<${Table} label="Traces" rows=${shown} columns=${COLUMNS} id=${(/** @type {any} */ one) => one.trace_id} onEnd=${more}
            tone=${(/** @type {any} */ one) => (one.errors ? "bad" : "")} href=${(/** @type {any} */ one) => link(`traces/${one.trace_id}`, {})} />`}
      ${param("box") && html`<${Compare} wanted=${wanted} />`}
    </div>
  </div>`;
}

/** @param {{filtered: boolean}} given */
function Nothing({ filtered }) {
  if (filtered)
    return html`<${Empty} title="No trace fits">
      <button type="button" onClick=${() => setParams(Object.fromEntries(FILTERS.map((name) => [name, ""])))}>Take the filters away</button>
    <//>`;
  return html`<${Empty} title="No traces in this time" command="shoal call SERVICE.ENDPOINT">
    Every request through the gateway becomes one. <button type="button" class="link" onClick=${() => setParams({ range: "run", since: "", until: "" })}>Look at the whole run</button>
  <//>`;
}

/** @param {{id: string}} given */
function Pick({ id }) {
  const picked = params("pick");
  const turn = () => setParams({ pick: picked.includes(id) ? picked.filter((one) => one !== id) : [...picked, id].slice(-2) });
  return html`<input type="checkbox" aria-label=${`Choose ${id.slice(0, 8)} for a diff`} checked=${picked.includes(id)} onChange=${turn} />`;
}
