// One service: its golden signals as a whole, by operation and by replica, who calls it and whom it calls.
import { html } from "../shell/ui.js";
import { isLive } from "../shell/data.js";
import { go, link, param, place, setParams } from "../shell/place.js";
import { bytes, duration, number, percent } from "../shell/format.js";
import { useFresh } from "../parts/fresh.js";
import { Stopped } from "../parts/actions.js";
import { Code, Place } from "../parts/code.js";
import { Chart } from "../parts/chart.js";
import { Dots } from "../parts/dots.js";
import { aligned, summed } from "../parts/lines.js";
import { Noticed, Objectives } from "../parts/objectives.js";
import { Badge, Empty, Service as Named, Trouble } from "../parts/states.js";

export default function Service() {
  const { data: all, error: absent } = useFresh("/api/services", {}, { on: "resources" });
  const services = all?.items ?? [];
  const name = place.value.rest[0] ?? services[0]?.name ?? "";
  const { data, error } = useFresh(name ? `/api/services/${name}` : null, {}, { timed: true, every: 2000 });
  if (all && services.length === 0) return html`<div class="page"><h1>Service</h1>
    <${Empty} title="No service is declared" command="shoal new demo" /></div>`;
  return html`<div class="page">
    <div class="title"><h1>Service</h1>
      <select aria-label="Service" value=${name} onChange=${(/** @type {any} */ e) => go(link(`service/${e.target.value}`))}>
        ${services.map((/** @type {any} */ one) => html`<option key=${one.name} value=${one.name}>${one.name}</option>`)}</select>
      ${data && html`<span class="note">${data.summary} · version ${data.version} · <${Place} at=${data.source} /></span>`}<span class="spring"></span>
      <a href=${link("traces", { service: [name] })}>Traces</a> <a href=${link("logs", { service: [name] })}>Logs</a> <a
        href=${link("metrics", { of: name })}>Metrics</a>
      <a href=${link("data", { of: name })}>Data</a> <a href=${link("api", { of: name })}>API</a></div>
    ${data && html`<${Stopped} live=${data.live} />`}
    <${Trouble} error=${absent ?? error} />
    ${data && data.name === name && html`<div class="stack"><${Noticed} service=${name} /><${Tiles} data=${data} /><${Charts}
      name=${name} />
      <${Objectives} service=${name} promised=${data.objectives} />
      <${Operations} items=${data.operations} service=${name} /><${Code} /><${Versions} items=${data.versions} /><${Replicas} items=${data.replicas} />
      <div class="pair"><${Ways} title="Callers" items=${data.callers} end="source" /><${Ways} title="Callees"
        items=${data.callees} end="target" /></div>
      <${Circuits} items=${data.circuits} /></div>`}
  </div>`;
}

/** The golden signals: failures have their own time, so that quick failures do not look like speed. @param {{data: any}} given */
function Tiles({ data }) {
  const { whole, replicas } = data;
  const sum = (/** @type {string} */ key) => (replicas.some((/** @type {any} */ one) => one[key] !== null) ? replicas.reduce((/** @type {number} */ total, /** @type {any} */ one) => total + (one[key] ?? 0), 0) : null);
  const share = whole.count ? whole.errors / whole.count : null;
  const tiles = [
    ["Latency", `${duration(whole.p99)}`, `p50 ${duration(whole.p50)}, p99 of the slowest operation`, ""],
    ["Latency of failures", duration(whole.error_p99), `p50 ${duration(whole.error_p50)}, p99 of what failed`, ""],
    ["Errors", percent(share), `${number(whole.errors)} of ${number(whole.count)}`, share && share >= 0.01 ? "bad-text" : ""],
    ["Traffic", `${number(whole.rate)}/s`, "requests and events", ""],
    ["CPU", number(sum("cpu")), "processors", ""],
    ["Memory", bytes(sum("memory")), `${replicas.length} replica${replicas.length === 1 ? "" : "s"}`, ""],
    ["In flight", number(sum("active")), sum("most") === null ? "requests" : `requests; connections ${number(sum("used"))} of ${number(sum("most"))}`, ""],
  ];
  return html`<div class="tiles" role="group" aria-label="Golden signals">${tiles.map(([title, value, note, tone]) => html`<div class="tile"
    key=${title}>
    <span class="muted">${title}</span><strong class=${tone}>${value}</strong><span class="note">${note}</span></div>`)}</div>`;
}

/** @param {{name: string}} given */
function Charts({ name }) {
  const { data } = useFresh(`/api/services/${name}/series`, { operation: param("operation") }, { timed: true, every: 5000 });
  const found = data?.signals;
  if (!found?.times?.length) return html`<${Empty} title="Nothing was recorded in this time"
    command=${isLive() ? `shoal call ${name}.…` : ""}>Every request and event is counted here as it comes.<//>`;
  const near = (/** @type {number} */ at) => go(link("traces", { service: [name], since: Math.round(at), until: Math.round(at + found.step * 1000) }));
  const cpu = merged(data.used["process.cpu.time"]), memory = merged(data.used["process.memory.usage"]);
  const active = merged(data.used["http.server.active_requests"]);
  return html`<div class="charts">
    <figure><figcaption>Latency${param("operation") ? ` of ${param("operation")}` : ""} <span class="note">a click shows the traces of that moment</span>
      </figcaption>
      <${Chart} label="Latency" times=${found.times} format=${duration} onPoint=${near}
        lines=${[{ label: "p50", values: found.p50 }, { label: "p99", values: found.p99 }, { label: "p50 of failures", values: found.p50_errors, color: "--warn", dash: [2, 3] },
          { label: "p99 of failures", values: found.p99_errors, color: "--bad", dash: [4, 3] }]} />
        </figure>
    <figure><figcaption>Traffic and errors, a second</figcaption>
      <${Chart} label="Traffic" times=${found.times} format=${number} onPoint=${near}
        lines=${[{ label: "requests", values: found.rate, fill: true }, { label: "errors", values: found.errors, color: "--bad" }]} />
        </figure>
    ${cpu && html`<figure><figcaption>CPU, processors</figcaption><${Chart} label="CPU" times=${cpu.times} format=${number}
      lines=${cpu.lines} /></figure>`}
    ${memory && html`<figure><figcaption>Memory</figcaption><${Chart} label="Memory" times=${memory.times} format=${bytes}
      lines=${memory.lines} /></figure>`}
    ${active && html`<figure><figcaption>In flight, requests</figcaption><${Chart} label="In flight" times=${active.times} format=${number}
      lines=${active.lines} /></figure>`}
    <figure><figcaption>Requests <span class="note">each dot leads to its trace</span></figcaption><${Dots} service=${name} /></figure>
  </div>`;
}

/** One line for each replica. @param {any[] | undefined} series */
function merged(series) {
  const sums = summed((series ?? []).map((one) => ({ name: one.replica, times: one.times, values: one.values })));
  const found = aligned(sums);
  return found && { times: found.times, lines: sums.map((one, n) => ({ label: one.name, values: found.values[n] })) };
}

/** @param {{items: any[], service: string}} given */
function Operations({ items, service }) {
  return html`<section aria-label="Operations"><h2>Operations</h2><table class="plain-table"><thead><tr><th scope="col">Operation</th>
    <th scope="col" class="end">A second</th><th scope="col" class="end">Errors</th><th scope="col" class="end">p50</th>
    <th scope="col" class="end">p99</th><th scope="col" class="end">p99 of failures</th><th scope="col">Promises</th>
      <th scope="col">Declared</th><th scope="col"></th></tr></thead><tbody>
    ${items.map((one) => html`<tr key=${`${one.kind} ${one.name}`} class=${one.count ? "" : "muted"}>
      <td><button type="button" class="link" aria-pressed=${param("operation") === one.name}
        onClick=${() => setParams({ operation: param("operation") === one.name ? "" : one.name })}>${one.name}</button></td>
      <td class="end">${one.count ? number(one.rate) : "–"}</td>
        <td class="end ${one.errors ? "bad-text" : ""}">${one.count ? percent(one.errors / one.count) : "–"}</td>
      <td class="end">${duration(one.p50)}</td><td class="end">${duration(one.p99)}</td><td class="end">${duration(one.error_p99)}</td>
        <td>${one.objectives.join("; ")}</td><td><${Place} at=${one.source} /></td>
      <td><a href=${link("traces", { service: [service], operation: one.name })}>Traces</a>${one.endpoint && html` <a
        href=${link("api", { operation: `${service}.${one.endpoint}` })}>Try</a>`}</td></tr>`)}</tbody></table></section>`;
}

/** @param {{items: any[]}} given */
function Replicas({ items }) {
  if (!items.length) return null;
  return html`<section aria-label="Replicas"><h2>Replicas</h2><table class="plain-table"><thead><tr><th scope="col">Replica</th>
    <th scope="col">Version</th><th scope="col">State</th><th scope="col" class="end">A second</th><th scope="col" class="end">Errors</th>
    <th scope="col" class="end">p99</th><th scope="col" class="end">CPU</th>
    <th scope="col" class="end">Memory</th><th scope="col" class="end">In flight</th><th scope="col" class="end">Connections</th>
      <th scope="col" class="end">Restarts</th></tr></thead><tbody>
    ${items.map((one) => html`<tr key=${one.name}><td><a href=${link("resources", { process: one.name })}>${one.name}</a></td>
      <td>${one.version || "the present one"}</td><td><${Badge} kind=${one.status === "ready" ? "good" : "bad"}>${one.status}<//></td>
      <td class="end">${number(one.rate)}</td><td class="end ${one.errors ? "bad-text" : ""}">${one.rate ? percent(one.errors / one.rate) : "–"}</td>
        <td class="end">${duration(one.p99)}</td><td class="end">${number(one.cpu)}</td>
        <td class="end">${bytes(one.memory)}</td><td class="end">${number(one.active)}</td>
      <td class="end">${number(one.used)} of ${number(one.most)}</td><td class="end">${one.restarts}</td></tr>`)}</tbody></table>
        </section>`;
}

/** Which of two versions does how, while there are two. @param {{items: any[]}} given */
function Versions({ items }) {
  if (items.length < 2) return null;
  return html`<section aria-label="Versions"><h2>Versions</h2><table class="plain-table"><thead><tr><th scope="col">Version</th>
    <th scope="col" class="end">Replicas</th><th scope="col" class="end">A second</th><th scope="col" class="end">Errors</th>
    <th scope="col" class="end">p99</th><th scope="col"></th></tr></thead><tbody>
    ${items.map((one) => html`<tr key=${one.name}><td>${one.name || "the present one"}</td><td class="end">${one.replicas}</td>
      <td class="end">${number(one.rate)}</td><td class="end ${one.errors ? "bad-text" : ""}">${one.rate ? percent(one.errors / one.rate) : "–"}</td>
      <td class="end">${duration(one.p99)}</td><td><a href=${link("gateway", { part: "canaries" })}>Requests of each</a></td></tr>`)}
    </tbody></table></section>`;
}

/** @param {{title: string, items: any[], end: "source" | "target"}} given */
function Ways({ title, items, end }) {
  return html`<section aria-label=${title}>
    <h2>${title}</h2>${items.length === 0 ? html`<p class="note">none</p>` : html`<table class="plain-table"><tbody>
    ${items.map((one) => html`<tr key=${one.id}><td><a href=${link("map", { edge: one.id })}><${Named} name=${one[end]} /></a></td>
      <td>${one.kind}</td>
      <td class="end">${one.count ? `${number(one.rate)}/s` : "idle"}</td><td class="end">${one.count ? duration(one.p99) : ""}</td>
        <td class="end ${one.errors ? "bad-text" : ""}">${one.count ? percent(one.errors / one.count) : ""}</td>
      <td>${one.standing === "undeclared" && html`<${Badge} kind="bad">not declared<//>`}${one.circuit && html`<${Badge}
        kind=${one.circuit === "closed" ? "good" : "bad"}>breaker ${one.circuit}<//>`}${one.fault && html`<${Badge} kind="warn">${one.fault}<//>`}</td>
        </tr>`)}</tbody></table>`}</section>`;
}

/** @param {{items: any[]}} given */
function Circuits({ items }) {
  if (!items.length) return null;
  return html`<section aria-label="Circuit breakers"><h2>Circuit breakers</h2><table class="plain-table"><thead><tr>
    <th scope="col">Breaker</th><th scope="col">State</th><th scope="col" class="end">Opened</th><th scope="col">Calls</th>
    <th scope="col">Replicas</th></tr></thead><tbody>
    ${items.map((one) => html`<tr key=${one.name}><td>${one.name}</td><td><${Badge}
      kind=${one.state === "closed" ? "good" : "bad"}>${one.state}<//></td><td class="end">${number(one.turns)}</td>
      <td>${Object.entries(one.calls).filter(([, count]) => count).map(([outcome, count]) => `${outcome} ${count}`).join(", ") || "none"}</td>
        <td>${Object.entries(one.replicas).map(([replica, state]) => `${replica}: ${state}`).join(", ")}</td></tr>`)}</tbody></table>
        </section>`;
}
