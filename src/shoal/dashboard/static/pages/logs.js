// Logs of several services, as they come.
import { html, useEffect } from "../shell/ui.js";
import { paused, useQuery } from "../shell/data.js";
import { bind } from "../shell/keys.js";
import { link, param, params, setParams } from "../shell/place.js";
import { usePages } from "../shell/pages.js";
import { clock, moment, plural } from "../shell/format.js";
import { Attributes } from "../parts/attributes.js";
import { Choice, Saved, Several, Text } from "../parts/fields.js";
import { Empty, Service, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";

const FILTERS = ["service", "level", "text", "trace_id"];
const LEVELS = ["debug", "info", "warning", "error", "critical"];

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "at", title: "Time", width: "96px", cell: (one) => html`<span class="mono muted">${clock(one.at)}</span>` },
  { name: "level", title: "Level", width: "64px", cell: (one) => html`<span class="level ${one.level}">${one.level}</span>` },
  { name: "service", title: "Service", width: "130px", cell: (one) => html`<${Service} name=${one.replica || one.service} />` },
  { name: "message", title: "Message", width: "minmax(12rem, 1fr)", cell: (one) => html`${one.message} <span class="muted">${brief(one.attributes)}</span>` },
  {
    name: "trace", title: "Trace", width: "76px",
    cell: (one) => one.trace_id && html`<a class="mono" href=${link(`traces/${one.trace_id}`, { span: one.span_id })}>${one.trace_id.slice(-8)}</a>`,
  },
];

export default function Logs() {
  const wanted = { services: params("service"), level: param("level"), text: param("text"), trace_id: param("trace_id") };
  const { data: names } = useQuery("/api/names", {}, { every: 10_000 });
  const { items, error, loading, ready, more } = usePages("/api/logs", wanted, { id: (one) => one.id, at: (one) => one.at, limit: 300 });
  const open = items.find((one) => String(one.id) === param("line"));
  const filtered = FILTERS.some((name) => param(name));
  useEffect(() => bind("e", "only errors, and everything again", () => setParams({ level: param("level") === "error" ? "" : "error" })), []);
  return html`<div class="page">
    <div class="title"><h1>Logs</h1><span class="note">${plural(items.length, "line")}${more ? ", and older ones" : ""}, newest first</span>
      <span class="spring"></span>
      <button type="button" aria-pressed=${paused.value} onClick=${() => (paused.value = !paused.value)}>${paused.value ? "Follow" : "Pause"}</button>
      <button type="button" onClick=${() => setParams({ since: Date.now(), until: "" })} title="Show only what comes from now on">Clear</button>
    </div>
    <form class="bar" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${Text} name="text" label="Text" hint="in the message" search=${true} wide=${true} />
      <${Several} name="service" label="Services" options=${names?.services ?? []} />
      <${Choice} name="level" label="Level" options=${LEVELS.map((level) => [level, `${level} and above`])} />
      <${Text} name="trace_id" label="Trace" hint="id" />
      <${Saved} page="logs" names=${FILTERS} />
    </form>
    ${error?.status !== 404 && html`<${Trouble} error=${error} />`}
    ${(ready && !loading && items.length === 0) || error?.status === 404
      ? filtered ? html`<${Empty} title="No line fits"><button type="button" onClick=${() => setParams(Object.fromEntries(FILTERS.map((name) => [name, ""])))}>Take the filters away</button><//>`
        : html`<${Empty} title="No logs in this time" command="shoal run">What services write with logging comes here.
          ${" "}<button type="button" class="link" onClick=${() => setParams({ range: "run", since: "", until: "" })}>Look at the whole run</button><//>`
      : html`<div class="columns">
          <${Table} label="Log lines" rows=${items} columns=${COLUMNS} id=${(/** @type {any} */ one) => String(one.id)} onEnd=${more} chosen=${param("line")}
            tone=${(/** @type {any} */ one) => (one.level === "error" || one.level === "critical" ? "bad" : one.level === "warning" ? "warn" : "")}
            onChoose=${(/** @type {any} */ one) => setParams({ line: one.id })} />
          ${open && html`<aside class="panel details" aria-label="Line">
            <div class="title"><h2>${open.replica || open.service}</h2><span class="level ${open.level}">${open.level}</span><span class="spring"></span>
              <button type="button" class="plain" aria-label="Close" onClick=${() => setParams({ line: "" })}>×</button></div>
            <p class="muted">${moment(open.at)} · ${clock(open.at)}</p>
            <pre>${open.message}</pre>
            ${open.trace_id && html`<div class="bar"><a href=${link(`traces/${open.trace_id}`, { span: open.span_id })}>Trace</a>
              <button type="button" class="link" onClick=${() => setParams({ trace_id: open.trace_id, service: [] })}>Only lines of this trace</button></div>`}
            <section><h3>Attributes</h3><${Attributes} values=${open.attributes ?? {}} /></section>
          </aside>`}
        </div>`}
  </div>`;
}

/** @param {Record<string, any>} attributes */
function brief(attributes) {
  return Object.entries(attributes ?? {}).filter(([name, value]) => typeof value !== "object" && !name.startsWith("code.") && name !== "shoal.logger")
    .slice(0, 4).map(([name, value]) => `${name}=${value}`).join(" ");
}
