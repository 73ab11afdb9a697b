// What services keep: tables, migrations, connections, slow statements; questions that change nothing; a fresh start.
import { html, useEffect, useState } from "../shell/ui.js";
import { link, param, setParams } from "../shell/place.js";
import { bytes, duration, moment, number, percent } from "../shell/format.js";
import { useFresh } from "../parts/fresh.js";
import { Ask, Stopped, useAction } from "../parts/actions.js";
import { Choice } from "../parts/fields.js";
import { Badge, Empty, Trouble } from "../parts/states.js";
import { part, Tabs } from "../parts/tabs.js";

export default function Data() {
  const { data: system, error: absent } = useFresh("/api/data", {}, { on: "resources" });
  const services = system?.items ?? [];
  const service = param("of") || services[0]?.service || "";
  const { data, error, refresh } = useFresh(service ? `/api/data/${service}` : null, {}, { every: 3000 });
  const shown = part(["tables", "ask", "migrations", "activity", "slow"]);
  const { busy, error: failed, send } = useAction();
  const reset = async () => {
    if (await send(`/api/data/${service}/reset`, { confirm: service }, `${service} begins anew`)) refresh();
  };
  return html`<div class="page">
    <div class="title"><h1>Data</h1><${Choice} name="of" label="Service" all=${services[0]?.service ?? "none"}
      options=${services.slice(1).map((/** @type {any} */ one) => one.service)} />
      ${data && Object.entries(data.kept).map(([what, engine]) => html`<span key=${what} class="note">${what}: ${engine}</span>`)}
      ${data?.database && html`<${Badge} kind="good">cache hits ${percent(hits(data.database))}<//>`}<span class="spring"></span>
      ${data?.sql && html`<${Ask} disabled=${busy} word=${service}
        question=${`Take away everything that ${service} keeps in its database? It starts anew: migrated, with its seeds. What it heard before does not come again.`}
        act=${reset}>Reset ${service}…<//>`}</div>
    ${data && html`<${Stopped} live=${data.live} />`}
    <${Trouble} error=${absent ?? error ?? failed} />${data?.problem && html`<p class="trouble" role="alert">${data.problem}</p>`}
    ${system && services.length === 0 ? html`<${Empty} title="No service keeps anything" command="shoal describe">Service(…, store=Postgres()) gives one a database.<//>`
      : html`<${Tabs} label="Parts of this page"
        tabs=${[["tables", "Tables"], ["ask", "Ask"], ["migrations", "Migrations"], ["activity", "Connections"], ["slow", "Statements"]]} />
        <div class="stack">${data && (shown === "ask" ? html`<${Box} service=${service} able=${data.sql} />`
          : shown === "migrations" ? html`<${Migrations} items=${data.migrations ?? []} live=${data.live} />`
          : shown === "activity" ? html`<${Activity} data=${data} />`
          : shown === "slow" ? html`<${Slow} service=${service} />` : html`<${Tables} data=${data} />`)}</div>`}
  </div>`;
}

/** @param {any} database */
const hits = (database) => (database.hit + database.read ? database.hit / (database.hit + database.read) : null);

/** @param {{data: any}} given */
function Tables({ data }) {
  if (!data.sql) return html`<${Empty} title=${data.live ? "Its engine has no tables to show" : "Nothing runs"}
    command=${data.live ? "shoal describe" : "shoal run"} />`;
  return html`<table class="plain-table"><thead><tr><th scope="col">Table</th><th scope="col" class="end">Rows, about</th>
    <th scope="col" class="end">Size</th><th scope="col" class="end">Read whole</th><th scope="col" class="end">Looked up</th>
    <th scope="col"></th></tr></thead>
    <tbody>${data.tables.map((/** @type {any} */ one) => html`<tr key=${`${one.schema}.${one.name}`}
      class=${one.schema === "shoal" ? "muted" : ""}>
      <td class="mono">${one.schema === "public" ? one.name : `${one.schema}.${one.name}`}</td>
      <td class="end">${number(one.rows)}</td><td class="end">${bytes(one.bytes)}</td><td class="end">${number(one.scans)}</td>
        <td class="end">${number(one.lookups)}</td>
      <td><a href=${link("data", { of: data.service, part: "ask", sql: `select * from ${one.schema === "public" ? one.name : `${one.schema}.${one.name}`} limit 50` })}>Look</a>
        </td></tr>`)}</tbody></table>`;
}

/** @param {{service: string, able: boolean}} given */
function Box({ service, able }) {
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const [text, setText] = useState(param("sql"));
  const { busy, error, send } = useAction();
  const ask = async (/** @type {string} */ sql) => setAnswer(sql.trim() ? await send(`/api/data/${service}/ask`, { sql }) : null);
  useEffect(() => {
    setText(param("sql"));
    if (able) ask(param("sql"));
  }, [service, param("sql"), able]);
  if (!able) return html`<${Empty} title="This service cannot be asked by SQL" command="shoal ps">Its store knows none, or nothing runs.<//>`;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (text === param("sql")) ask(text);
    else setParams({ sql: text });
  };
  const keyed = (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && submit(event);
  return html`<form class="stack" onSubmit=${submit}><label class="stack">
    <span class="note">SQL that changes nothing, with the rights of ${service}; at most 500 rows and 5 s. Ctrl Enter asks.</span>
      <textarea class="mono" rows="4" spellcheck="false" data-search value=${text}
        onInput=${(/** @type {any} */ e) => setText(e.target.value)} onKeyDown=${keyed}></textarea></label>
    <div class="bar"><button type="submit" class="primary"
      disabled=${busy}>Ask</button>${answer && html`<span class="note" role="status">${number(answer.rows.length)} rows${answer.more ? ", and there are more" : ""}, ${duration(answer.ms)}</span>`}</div>
      </form>
    <${Trouble} error=${error} />
    ${answer && html`<div class="scroll"><table class="plain-table"><thead><tr>${answer.columns.map((/** @type {string} */ name) => html`<th
      key=${name} scope="col">${name}</th>`)}</tr></thead>
      <tbody>${answer.rows.map((/** @type {any[]} */ row, /** @type {number} */ n) => html`<tr key=${n}>${row.map((value, at) => html`<td
        key=${at} class="mono">${value === null ? html`<span class="muted">null</span>` : String(value)}</td>`)}</tr>`)}</tbody></table>
        </div>`}`;
}

/** @param {{items: any[], live: boolean}} given */
function Migrations({ items, live }) {
  if (!items.length) return html`<${Empty} title=${live ? "No migration was applied" : "Nothing runs"}
    command=${live ? "shoal describe" : "shoal run"}>Numbered SQL files beside the service are applied when it starts.<//>`;
  return html`<table class="plain-table"><thead><tr><th scope="col">Number</th><th scope="col">Name</th><th scope="col">Applied</th>
    <th scope="col">Checksum</th></tr></thead>
    <tbody>${items.map((one) => html`<tr key=${one.number}><td>${one.number}</td><td>${one.name}</td><td>${moment(one.applied_at)}</td>
      <td class="mono">${one.checksum.slice(0, 12)}</td></tr>`)}</tbody></table>`;
}

/** @param {{data: any}} given */
function Activity({ data }) {
  const kept = data.caches ?? [], pools = data.pools ?? [], gauges = Object.entries(data.gauges ?? {});
  if (!data.live) return html`<${Empty} title="Nothing runs" command="shoal run" />`;
  const share = (/** @type {any} */ { hit = 0, ...others }) => hit / Math.max(1, Object.values(others).reduce((/** @type {any} */ a, b) => a + b, hit));
  return html`${data.database && html`<p class="note">${number(data.database.connections)} connections to this database, ${number(data.database.deadlocks)} deadlocks so far</p>`}
    <table class="plain-table"><thead><tr><th scope="col">Connection</th><th scope="col">State</th><th scope="col">Waits for</th>
      <th scope="col" class="end">For</th><th scope="col">Statement</th></tr></thead>
      <tbody>${(data.activity ?? []).map((/** @type {any} */ one) => html`<tr key=${one.pid}><td>${one.pid}</td><td>${one.state ?? "–"}</td>
        <td>${one.waits_for ?? "–"}</td><td class="end">${duration(one.ms)}</td><td class="mono">${one.query}</td></tr>`)}</tbody></table>
    ${kept.length > 0 && html`<table class="plain-table"><thead><tr><th scope="col">Kept function</th><th scope="col" class="end">Hits</th>
      <th scope="col">Outcomes</th></tr></thead><tbody>${kept.map((/** @type {any} */ one) => html`<tr key=${one.function}>
      <td class="mono">${one.function}</td><td class="end">${percent(share(one.outcomes))}</td>
      <td>${Object.entries(one.outcomes).map(([name, count]) => `${name} ${count}`).join(", ")}</td></tr>`)}</tbody></table>`}
    <dl class="facts">${gauges.map(([name, value]) => html`<dt key=${name} class="mono">${name}</dt>
      <dd>${number(/** @type {number} */ (value))}</dd>`)}
      ${pools.map((/** @type {any} */ one, /** @type {number} */ n) => html`<dt key=${n} class="mono">${one.name}</dt>
        <dd>${number(one.value)} · ${one.replica} ${Object.values(one.labels).join(" ")}</dd>`)}</dl>`;
}

/** Statements as traces have seen them, the slowest first. @param {{service: string}} given */
function Slow({ service }) {
  const { data, error } = useFresh(`/api/data/${service}/statements`, {}, { timed: true, every: 3000 });
  const items = data?.items ?? [];
  return html`<${Trouble} error=${error} />${data && items.length === 0
    ? html`<${Empty} title="No statement was recorded in this time" command="shoal run">Every statement is a span of its request's trace.<//>`
    : html`<table class="plain-table"><thead><tr><th scope="col">Statement</th><th scope="col" class="end">Count</th>
      <th scope="col" class="end">p50</th><th scope="col" class="end">p99</th><th scope="col" class="end">In all</th>
      <th scope="col" class="end">Errors</th><th scope="col"></th></tr></thead>
      <tbody>${items.map((/** @type {any} */ one) => html`<tr key=${one.name}><td class="mono">${one.name}</td>
        <td class="end">${number(one.count)}</td><td class="end">${duration(one.p50)}</td><td class="end">${duration(one.p99)}</td>
        <td class="end">${duration(one.mean * one.count)}</td><td class="end">${number(one.errors)}</td><td><a
          href=${link("traces", { service: [service], operation: one.name })}>Traces</a></td></tr>`)}</tbody></table>`}`;
}
