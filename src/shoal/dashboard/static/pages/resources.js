// Every process of the running system.
import { html } from "../shell/ui.js";
import { useQuery } from "../shell/data.js";
import { link, param, setParams } from "../shell/place.js";
import { bytes, duration, moment, number, plural } from "../shell/format.js";
import { Ask, useAction } from "../parts/actions.js";
import { Attributes } from "../parts/attributes.js";
import { Text } from "../parts/fields.js";
import { Badge, Empty, Service, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { Copy } from "../parts/copy.js";

/** @type {Record<string, string>} */
const KINDS = { ready: "good", starting: "warn", restarting: "warn", stopping: "warn", failed: "bad", stopped: "idle" };

const END = /** @type {"end"} */ ("end");

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "name", title: "Name", width: "minmax(9rem, 1.2fr)", cell: ({ process }) => html`<${Service} name=${process.name} />` },
  { name: "kind", title: "Kind", width: "80px", cell: ({ process }) => process.kind },
  { name: "status", title: "State", width: "110px", cell: ({ process }) => html`<${Badge} kind=${KINDS[process.status]}>${process.status}<//>` },
  { name: "reason", title: "Reason", width: "minmax(5rem, 1fr)", cell: ({ process, problem }) => problem.split("\n")[0] || process.reason },
  { name: "restarts", title: "Restarts", width: "70px", align: END, cell: ({ process }) => number(process.restarts) },
  { name: "cpu", title: "CPU", width: "70px", align: END, tip: "processors, with descendants", cell: ({ usage }) => (usage ? usage.cpu.toFixed(2) : "–") },
  { name: "memory", title: "Memory", width: "80px", align: END, cell: ({ usage }) => bytes(usage?.memory) },
  { name: "version", title: "Version", width: "70px", cell: ({ version }) => version },
  { name: "pid", title: "Process", width: "80px", align: END, cell: ({ process }) => process.pid || "–" },
  { name: "address", title: "Address", width: "minmax(8rem, 1.6fr)", cell: ({ process }) => html`<span class="mono">${process.address}</span>` },
];

export default function Resources() {
  const { data, error, refresh } = useQuery("/api/resources", {}, { on: "resources" });
  const wanted = param("find").toLowerCase();
  const items = (data?.items ?? []).filter((/** @type {any} */ one) => `${one.process.name} ${one.process.kind} ${one.process.status}`.includes(wanted));
  const open = data?.items.find((/** @type {any} */ one) => one.process.name === param("process"));
  return html`<div class="page">
    <div class="title"><h1>Resources</h1>
      ${data?.system && html`<${Badge} kind=${KINDS[data.status]}>${data.system} ${data.status}<//>
        <span class="note">since ${moment(data.started)} · ${data.shape} · mesh: ${data.mesh}</span>`}
      ${data?.gateway && html`<a href=${data.gateway} target="_blank" rel="noreferrer">${data.gateway}</a>`}
    </div>
    <div class="bar"><${Text} name="find" label="Find" hint="name, kind, state" search=${true} /></div>
    <${Trouble} error=${error} />
    ${data && data.items.length === 0
      ? html`<${Empty} title="Nothing runs" command="shoal run">Engines, sandboxes and every replica are listed here.<//>`
      : html`<div class="columns">
          <${Table} label="Processes" rows=${items} columns=${COLUMNS} id=${(/** @type {any} */ one) => one.process.name}
            chosen=${param("process")} tone=${(/** @type {any} */ one) => (one.process.status === "failed" || one.problem ? "bad" : "")}
            onChoose=${(/** @type {any} */ one) => setParams({ process: one.process.name })} />
          ${open && html`<${Details} one=${open} data=${data} refresh=${refresh} />`}
        </div>`}
  </div>`;
}

/** @param {{one: any, data: any, refresh: () => void}} given */
function Details({ one, data, refresh }) {
  const { process, usage, url, problem, version } = one;
  const service = process.service || process.name;
  const siblings = data.items.filter((/** @type {any} */ other) => other.process.service && other.process.service === process.service);
  return html`<aside class="panel details" aria-label=${process.name}>
    <div class="title"><h2>${process.name}</h2><${Badge} kind=${KINDS[process.status]}>${process.status}<//>
      <span class="spring"></span>
      <button type="button" class="plain" aria-label="Close" onClick=${() => setParams({ process: "" })}>×</button></div>
    ${(problem || process.reason) && html`<pre class="bad-text">${problem || process.reason}</pre>`}
    ${data.live && html`<${Actions} process=${process} refresh=${refresh} replicas=${siblings.length} shape=${data.shape} />`}
    <dl class="facts">
      <dt>Kind</dt><dd>${process.kind}${version && ` · version ${version}`}</dd>
      <dt>Process</dt><dd>${process.pid || "–"}${usage && usage.processes > 1 ? ` and ${usage.processes - 1} more` : ""}</dd>
      <dt>CPU</dt><dd>${usage ? `${usage.cpu.toFixed(2)} processors` : "–"}</dd>
      <dt>Memory</dt><dd>${bytes(usage?.memory)}</dd>
      <dt>Restarts</dt><dd>${process.restarts}</dd>
      <dt>Ready after</dt><dd>${process.ready_after ? duration(process.ready_after * 1000) : "–"}</dd>
      <dt>Address</dt><dd class="mono">${process.address || "–"}</dd>
      ${url && html`<dt>Page</dt><dd><a href=${url} target="_blank" rel="noreferrer">${url}</a></dd>`}
      <dt>Ports</dt><dd class="mono">${usage?.ports.join(", ") || "–"}</dd>
      <dt>Log file</dt><dd class="mono">${process.log}</dd>
    </dl>
    <div class="bar">
      <a href=${link("logs", { service: [service] })}>Logs</a>
      <a href=${link("traces", { service: [service] })}>Traces</a>
      <${Copy} text=${`shoal -C ${data.root} logs -f ${service}`} what="Command">Copy logs command<//>
    </div>
    ${data.live && html`<${Command} key=${process.name} name=${process.name} />`}
  </aside>`;
}

/** @param {{process: any, refresh: () => void, replicas: number, shape: string}} given */
function Actions({ process, refresh, replicas, shape }) {
  const { busy, error, send } = useAction();
  const act = (/** @type {string} */ what, /** @type {string} */ done) => send(`/api/resources/${process.name}/${what}`, {}, `${process.name} ${done}`).then(refresh);
  const scale = (/** @type {number} */ count) => send(`/api/services/${process.service}/scale`, { replicas: count }, `${process.service} has ${plural(count, "replica")}`).then(refresh);
  const ended = ["stopped", "failed"].includes(process.status);
  return html`<div class="bar" role="group" aria-label="Actions" aria-busy=${busy}>
      <button type="button" disabled=${busy || !ended} onClick=${() => act("start", "started")}>Start</button>
      <button type="button" disabled=${busy} onClick=${() => act("restart", "restarted")}>Restart</button>
      <${Ask} question=${`Stop ${process.name}? It stays so until it is started.`} disabled=${busy || ended} act=${() => act("stop", "stopped")}>Stop<//>
      ${process.kind === "service" && process.service && shape !== "one-process" && html`<span class="field"><span>Replicas</span>
        <button type="button" aria-label="One replica fewer" disabled=${busy || replicas <= 1} onClick=${() => scale(replicas - 1)}>−</button> ${replicas}
        <button type="button" aria-label="One replica more" disabled=${busy || replicas >= 16} onClick=${() => scale(replicas + 1)}>+</button></span>`}
    </div><${Trouble} error=${error} />`;
}

/** How it was started: asked for when somebody looks. @param {{name: string}} given */
function Command({ name }) {
  const open = param("command") === "1";
  const { data, error } = useQuery(open ? `/api/resources/${encodeURIComponent(name)}/command` : null, { run: "" }, { on: "" });
  return html`<section>
    <button type="button" aria-expanded=${open} onClick=${() => setParams({ command: open ? "" : "1" })}>${open ? "Hide command and environment" : "Show command and environment"}</button>
    ${open && html`<${Trouble} error=${error} />`}
    ${open && data && html`<pre class="code">${data.argv.join(" ")}</pre>
      <div class="bar"><${Copy} text=${data.shell} what="Line">Copy line that opens a terminal<//></div>
      <${Attributes} values=${data.environment} />`}
  </section>`;
}
