// The gateway: what it lets in, what goes wrong on purpose, second versions, and paths of old applications.
import { html, useState } from "../shell/ui.js";
import { link, param, setParams } from "../shell/place.js";
import { bytes, number, plural } from "../shell/format.js";
import { useFresh } from "../parts/fresh.js";
import { Ask, Stopped, useAction } from "../parts/actions.js";
import { Text } from "../parts/fields.js";
import { Badge, Empty, Service, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { part, Tabs } from "../parts/tabs.js";

const END = /** @type {"end"} */ ("end");

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "method", title: "Method", width: "64px", cell: (route) => html`<strong>${route.method}</strong>` },
  { name: "path", title: "Path", width: "minmax(9rem, 1.4fr)", cell: (route) => html`<span class="mono">${route.path}</span>` },
  { name: "service", title: "Service", width: "120px", cell: (route) => html`<${Service} name=${route.service} />` },
  { name: "endpoint", title: "Operation", width: "minmax(7rem, 1fr)", cell: (route) => html`<a
    href=${link("api", { operation: `${route.service}.${route.endpoint}` })}>${route.endpoint}</a>` },
  { name: "access", title: "For", width: "130px", cell: (route) => [route.access, ...route.needs].join(" ") },
  { name: "limit", title: "Limit", width: "minmax(8rem, 1.2fr)", cell: (route) => route.limit || "none" },
  { name: "timeout", title: "Timeout", width: "70px", align: END, cell: (route) => `${route.timeout} s` },
  { name: "attempts", title: "Tries", width: "56px", align: END, cell: (route) => route.attempts },
  { name: "largest", title: "Largest body", width: "96px", align: END, cell: (route) => bytes(route.largest) },
  { name: "source", title: "Declared", width: "minmax(8rem, 1fr)", cell: (route) => html`<span class="mono">${route.source}</span>` },
];

export default function Gateway() {
  const { data, error, refresh } = useFresh("/api/gateway", {}, { every: 2000 });
  const shown = part(["routes", "faults", "canaries", "takeover", "consumers"]);
  const needle = param("find").toLowerCase();
  const routes = (data?.routes ?? []).filter((/** @type {any} */ one) => `${one.method} ${one.path} ${one.service} ${one.endpoint}`.toLowerCase().includes(needle));
  return html`<div class="page">
    <div class="title"><h1>Gateway</h1>${data?.url && html`<span class="mono note">${data.url}</span>`}
      ${data && html`<${Badge} kind=${data.mesh.mode === "one process" ? "idle" : data.mesh.secured === data.mesh.ways ? "good" : "bad"}>
          ${data.mesh.mode === "one process" ? "calls stay in one process" : `mTLS on ${data.mesh.secured} of ${data.mesh.ways} ways`}<//>
        <span class="note">${data.tls ? "TLS outside" : "plain text outside"}</span>`}
      ${data?.faults.length > 0 && html`<${Badge} kind="warn">${plural(data.faults.length, "fault")} on purpose<//>`}</div>
    ${data && html`<${Stopped} live=${data.live} />`}
    <${Trouble} error=${error} />
    <${Tabs} label="Parts of this page"
      tabs=${[["routes", "Routes"], ["faults", "Faults"], ["canaries", "Canaries"], ["takeover", "Old applications"], ["consumers", "Consumers"]]} />
    ${data && (shown === "faults" ? html`<${Faults} data=${data} refresh=${refresh} />`
      : shown === "canaries" ? html`<${Canaries} data=${data} refresh=${refresh} />`
      : shown === "takeover" ? html`<${Takeover} data=${data} refresh=${refresh} />`
      : shown === "consumers" ? html`<${Consumers} data=${data} />`
      : data.routes.length === 0
        ? html`<${Empty} title="Nothing is open to the outside" command="shoal describe">An endpoint with access=anyone or access=principal gets a route.<//>`
        : html`<div class="bar"><${Text} name="find" label="Find" hint="path, service" search=${true} /></div>
          <${Table} label="Routes" rows=${routes} columns=${COLUMNS} id=${(/** @type {any} */ one) => `${one.method} ${one.path}`} />`)}
  </div>`;
}

/** @param {{data: any, refresh: () => void}} given */
function Faults({ data, refresh }) {
  const { busy, error, send } = useAction();
  const way = param("way") || (data.ways[0] ? `${data.ways[0].caller}:${data.ways[0].callee}` : "");
  const chosen = data.ways.find((/** @type {any} */ one) => `${one.caller}:${one.callee}` === way);
  const [form, setForm] = useState({ endpoint: "", delay: "", abort: "503", percent: "100" });
  const set = (/** @type {string} */ name) => (/** @type {any} */ e) => setForm({ ...form, [name]: e.target.value });
  const inject = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const edge = form.endpoint ? `${way}.${form.endpoint}` : way;
    const body = { edge, delay: (Number(form.delay) || 0) / 1000, abort: Number(form.abort) || 0, percent: Number(form.percent) };
    if (await send("/api/gateway/fault", body, `${edge} is struck`)) refresh();
  };
  const clear = async (/** @type {string} */ edge) => {
    if (await send("/api/gateway/clear", { edge }, edge ? `${edge} goes well again` : "Nothing goes wrong on purpose any more")) refresh();
  };
  return html`<div class="columns"><form class="panel details" aria-label="Inject a fault" onSubmit=${inject}>
      <h2>Inject a fault</h2>
        <p class="note">Calls of one caller to one service come late, or are answered by an error. It ends with the run at the latest.</p>
      <label class="field row-field"><span>way</span><select value=${way}
        onChange=${(/** @type {any} */ e) => setParams({ way: e.target.value }, { replace: true })}>
        ${data.ways.map((/** @type {any} */ one) => html`<option key=${`${one.caller}:${one.callee}`}
          value=${`${one.caller}:${one.callee}`}>${one.caller} → ${one.callee}</option>`)}</select></label>
      <label class="field row-field"><span>operation</span><select value=${form.endpoint} onChange=${set("endpoint")}>
        <option value="">all of them</option>
        ${(chosen?.endpoints ?? []).map((/** @type {string} */ name) => html`<option key=${name} value=${name}>${name}</option>`)}</select>
          </label>
      <label class="field row-field"><span>answer by</span><input type="number" min="200" max="599"
        value=${form.abort} placeholder="no answer of ours" onInput=${set("abort")} /><small class="note">status; empty sends it on</small>
        </label>
      <label class="field row-field"><span>delay</span><input type="number" min="0" max="3600000" value=${form.delay} placeholder="0"
        onInput=${set("delay")} /><small class="note">milliseconds</small></label>
      <label class="field row-field"><span>share</span><input type="number" min="0.01" max="100" step="any" value=${form.percent}
        onInput=${set("percent")} /><small class="note">percent of the requests</small></label>
      <button type="submit" class="danger" disabled=${busy || !data.live}>Inject</button><${Trouble} error=${error} /></form>
    <section class="stack" aria-label="Faults on purpose">${data.faults.length === 0
      ? html`<${Empty} title="Nothing goes wrong on purpose" command="shoal fault add orders:payments --abort 503" />`
      : html`<div class="bar"><h2>Struck now</h2><span class="spring"></span><button type="button" disabled=${busy}
        onClick=${() => clear("")}>Clear all</button></div>
        <table class="plain-table"><thead><tr><th scope="col">Way</th><th scope="col">Fault</th><th scope="col"></th></tr></thead><tbody>
        ${data.faults.map((/** @type {any} */ fault) => html`<tr key=${fault.edge}><td><a
          href=${link("map", { edge: `${fault.caller}→${fault.callee}` })}>${fault.edge}</a></td><td class="warn-text">${fault.told}</td>
          <td class="end"><button type="button" disabled=${busy} aria-label=${`Clear ${fault.edge}`}
            onClick=${() => clear(fault.spelled)}>Clear</button></td></tr>`)}</tbody></table>`}
    </section></div>`;
}

/** @param {{data: any, refresh: () => void}} given */
function Canaries({ data, refresh }) {
  const { busy, error, send } = useAction();
  const act = async (/** @type {object} */ body, /** @type {string} */ done) => {
    if (await send("/api/gateway/canary", body, done)) refresh();
  };
  if (data.canaries.length === 0) return html`<${Empty} title="No service has a second version" command="shoal canary start SERVICE --code FOLDER">It gets a part of the requests until it is the only one, or taken away.<//>`;
  return html`<div class="stack"><${Trouble} error=${error} />${data.canaries.map((/** @type {any} */ one) => html`<section
    key=${one.service} class="panel stack" aria-label=${one.service}>
    <div class="title"><h2>${one.service}</h2><${Badge}
      kind=${one.stage === "running" || one.stage === "promoted" ? "good" : one.stage === "aborted" ? "bad" : "warn"}>${one.stage}<//>
      <span class="note">${one.version} · ${one.code}</span></div>
    <p>${one.reason || "no verdict yet"}</p>
    <table class="plain-table"><thead><tr><th scope="col">Version</th><th scope="col" class="end">Requests</th>
      <th scope="col" class="end">Errors</th></tr></thead><tbody>
      <tr><td>the one before</td><td class="end">${number(one.stable.requests)}</td><td class="end">${number(one.stable.errors)}</td></tr>
      <tr><td>${one.version}</td><td class="end">${number(one.fresh.requests)}</td><td class="end">${number(one.fresh.errors)}</td></tr>
        </tbody></table>
    ${one.stage === "running" && html`<div class="bar">
      <form class="field" onSubmit=${(/** @type {any} */ e) => (e.preventDefault(), act({ do: "weigh", service: one.service, weight: Number(new FormData(e.target).get("weight")) }, "Weight changed"))}>
        <label class="field"><span>percent of the requests</span><input name="weight" type="number" min="0" max="100" step="any"
          value=${one.weight} /></label><button type="submit" disabled=${busy}>Weigh</button></form>
      <${Ask} danger=${false} disabled=${busy} question=${`Make ${one.version} the only version of ${one.service}?`}
        act=${() => act({ do: "promote", service: one.service }, `${one.version} is the only one`)}>Promote<//>
      <${Ask} disabled=${busy} question=${`Take ${one.version} of ${one.service} away?`}
        act=${() => act({ do: "abort", service: one.service }, "The version before answers everything")}>Abort<//></div>`}
  </section>`)}</div>`;
}

/** @param {{data: any, refresh: () => void}} given */
function Takeover({ data, refresh }) {
  const { busy, error, send } = useAction();
  const move = async (/** @type {any} */ event, /** @type {string} */ route) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const body = { route, state: String(form.get("state")), weight: Number(form.get("weight")) || 0 };
    if (await send("/api/gateway/turn", body, `${route} is moved`)) refresh();
  };
  if (data.strangler.length === 0) return html`<${Empty} title="No old application is declared" command="shoal strangle status">${data.problem || "Gateway(legacy=(Legacy(…),)) declares one, whose paths services take over."}<//>`;
  return html`<div class="stack"><${Trouble} error=${error} /><table class="plain-table"><thead><tr><th scope="col">Path</th>
    <th scope="col">Old</th><th scope="col">Taken over by</th><th scope="col" class="end">Requests</th>
    <th scope="col" class="end">Compared</th><th scope="col" class="end">Differing</th><th scope="col">Stands at</th></tr></thead><tbody>
    ${data.strangler.map((/** @type {any} */ one) => html`<tr key=${one.route}><td>
      <strong>${one.method}</strong> <span class="mono">${one.path}</span></td><td>${one.application}</td>
      <td>${one.service || "nobody"}</td>
      <td class="end">${number(one.requests)}</td><td class="end">${number(one.parity.compared)}</td>
        <td class="end ${one.parity.differing ? "bad-text" : ""}">${number(one.parity.differing)}</td>
      <td><form class="bar" onSubmit=${(/** @type {any} */ e) => move(e, one.route)}>
        <select name="state" aria-label=${`State of ${one.route}`}
          value=${one.state}>${["record", "shadow", "shift", "done"].map((state) => html`<option key=${state} value=${state}
          selected=${state === one.state}>${state}</option>`)}</select>
        <input name="weight" type="number" min="0" max="100" step="any" value=${one.weight}
          aria-label=${`Percent of ${one.route}`} title="percent that the service answers" /> %
        <button type="submit" disabled=${busy || !data.live}>Set</button></form>
        ${one.parity.examples?.map((/** @type {any} */ example, /** @type {number} */ n) => html`<details key=${n}>
          <summary>${example.request}</summary>${example.differences.map((/** @type {any} */ d) => html`<p
          key=${d.place} class="mono">${d.place}: old ${d.legacy || "–"}, new ${d.new || "–"}</p>`)}</details>`)}</td></tr>`)}
    </tbody></table></div>`;
}

/** @param {{data: any}} given */
function Consumers({ data }) {
  return html`<div class="stack"><dl class="facts"><dt>Tokens by</dt>
    <dd>${data.issuer ? `${data.issuer.service}, for the audience ${data.issuer.audience}` : "nobody"}</dd>
      ${data.issuers.map((/** @type {any} */ one) => html`<dt key=${one.name}>also by</dt><dd>${one.name}: ${one.issuer}</dd>`)}</dl>
    ${data.consumers.length === 0 ? html`<${Empty} title="No consumer is declared" command="shoal keys create NAME">Programs that call with keys: Gateway(consumers=(Consumer(name=…),)).<//>`
      : html`<table class="plain-table"><thead><tr><th scope="col">Consumer</th><th scope="col">Roles</th><th scope="col">Scopes</th></tr>
        </thead><tbody>
        ${data.consumers.map((/** @type {any} */ one) => html`<tr key=${one.name}><td>${one.name}</td>
          <td>${one.roles.join(", ") || "–"}</td><td>${one.scopes.join(", ") || "–"}</td></tr>`)}</tbody></table>
        <p class="note">Their keys: <code>shoal keys list</code></p>`}</div>`;
}
