// Metrics: every value that services and engines tell of themselves, over time, by replica and attribute.
import { html } from "../shell/ui.js";
import { runs } from "../shell/data.js";
import { link, param, setParams } from "../shell/place.js";
import { bytes, duration, number, plural } from "../shell/format.js";
import { useFresh } from "../parts/fresh.js";
import { Chart } from "../parts/chart.js";
import { Choice, Text } from "../parts/fields.js";
import { Empty, Service, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { aligned } from "../parts/lines.js";

const MOST = 12;
const QUANTILES = ["p50", "p90", "p99"];
const EXEMPLARS = 3;

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "name", title: "Metric", width: "minmax(14rem, 2fr)", cell: (one) => html`<span class="mono">${one.name}</span>` },
  { name: "service", title: "Of", width: "130px", cell: (one) => html`<${Service} name=${one.service} />` },
  { name: "kind", title: "Kind", width: "90px", cell: (one) => one.kind },
  { name: "unit", title: "Unit", width: "100px", cell: (one) => one.unit },
  { name: "series", title: "Series", width: "60px", align: /** @type {"end"} */ ("end"), cell: (one) => number(one.series) },
];

/** @param {any} one */
const idOf = (one) => `${one.service} ${one.name}`;

export default function Metrics() {
  const recorded = runs.value.length > 0;
  const { data, error } = useFresh(recorded ? "/api/metrics" : null, { service: param("of"), name: param("find") }, { every: 5000 });
  const { data: names } = useFresh(recorded ? "/api/metrics" : null, {}, { every: 30_000 });
  const items = data?.items ?? [];
  const services = [...new Set((names?.items ?? []).map((/** @type {any} */ one) => one.service))];
  const open = [...items, ...(names?.items ?? [])].find((/** @type {any} */ one) => idOf(one) === param("metric"));
  const nothing = !recorded || (data && items.length === 0);
  return html`<div class="page">
    <div class="title"><h1>Metrics</h1>${data && html`<span class="note">${plural(items.length, "metric")}</span>`}</div>
    <div class="bar"><${Text} name="find" label="Find" hint="name" search=${true} /><${Choice} name="of" label="Of" options=${services} /></div>
    <${Trouble} error=${error} />
    ${nothing
      ? html`<${Empty} title=${param("find") || param("of") ? "No such metric" : "Nothing was measured yet"} command="shoal run">Services and engines tell
          every five seconds what they measure of themselves.<//>`
      : html`<div class="columns">
          <${Table} label="Metrics" rows=${items} columns=${COLUMNS} id=${idOf} chosen=${param("metric")}
            onChoose=${(/** @type {any} */ one) => setParams({ metric: idOf(one), by: "" })} />
          ${open && html`<${Details} key=${idOf(open)} one=${open} />`}
        </div>`}
  </div>`;
}

/** @param {{one: any}} given */
function Details({ one }) {
  const path = `/api/metrics/${encodeURIComponent(one.name)}`;
  const { data, error } = useFresh(path, { service: one.service, step: 4 }, { timed: true, every: 5000 });
  const all = data?.series ?? [];
  const shown = [...all].sort((a, b) => b.total - a.total).slice(0, MOST);
  const words = told(shown);
  const traced = shown.some((/** @type {any} */ each) => each.exemplars.length > 0);
  return html`<aside class="panel wide-details" aria-label=${one.name}>
    <div class="title"><h2 class="mono">${one.name}</h2><span class="spring"></span>
      <button type="button" class="plain" aria-label="Close" onClick=${() => setParams({ metric: "" })}>×</button></div>
    <p class="note">${one.kind} of ${one.service}${one.unit ? `, ${one.unit}` : ""}
      ${all.length > MOST ? `; the largest ${MOST} of ${all.length} series` : ""}</p>
    <${Trouble} error=${error} />
    <div class="charts">${one.kind === "histogram" && QUANTILES.map((name) => html`<${Lines} key=${name} title=${name} unit=${one.unit}
      series=${shown.map((/** @type {any} */ each) => ({ times: each.times, values: each.quantiles[name] ?? [] }))} words=${words} />`)}
    <${Lines} title=${one.kind === "gauge" ? "value" : "a second"} unit=${one.kind === "gauge" ? one.unit : ""}
      series=${shown.map((/** @type {any} */ each) => ({ times: each.times, values: each.values }))} words=${words} /></div>
    <table class="plain-table"><thead><tr><th scope="col">Series</th><th scope="col" class="end">${one.kind === "gauge" ? "Now" : "In all"}</th>
      ${traced && html`<th scope="col" class="end" title="each leads to the trace in which it was measured">Largest</th>`}</tr></thead>
      <tbody>${shown.map((/** @type {any} */ each, /** @type {number} */ n) => html`<tr key=${n}><td class="mono">${words[n]}</td>
        <td class="end">${said(one.kind === "histogram" ? "" : one.unit)(each.total)}</td>
        ${traced && html`<td class="end">${each.exemplars.slice(0, EXEMPLARS).map((/** @type {any} */ found) => html`<a key=${found.trace_id}
          href=${link(`traces/${found.trace_id}`, {})}>${said(one.unit)(found.value)}</a> `)}</td>`}</tr>`)}</tbody></table>
  </aside>`;
}

/** @param {{title: string, unit: string, series: {times: number[], values: (number | null)[]}[], words: string[]}} given */
function Lines({ title, unit, series, words }) {
  const drawn = series.map((one, n) => ({ ...one, label: words[n] })).filter((one) => one.values.length > 0);
  const found = aligned(drawn);
  if (!found) return null;
  const lines = found.values.map((values, n) => ({ label: drawn[n].label, values }));
  return html`<figure><figcaption>${title}</figcaption>
    <${Chart} label=${title} times=${found.times} lines=${lines} format=${said(unit)} /></figure>`;
}

/** What tells each of some series from the others: names are left out where all agree. @param {any[]} series @returns {string[]} */
function told(series) {
  const all = series.map((one) => [["replica", one.replica], ...Object.entries(one.attributes)].filter(([, value]) => value !== ""));
  const same = (/** @type {any} */ [name, value]) => all.every((pairs) => pairs.some(([n, v]) => n === name && v === value));
  const word = (/** @type {any} */ [name, value]) => (name === "replica" ? value : `${name}=${value}`);
  return all.map((pairs) => pairs.filter((pair) => series.length === 1 || !same(pair)).map(word).join(" "));
}

/** Write a value as its unit says. @param {string} unit @returns {(value: number | null) => string} */
function said(unit) {
  if (unit === "s") return (value) => duration(value === null ? null : value * 1000);
  if (unit === "ms") return duration;
  return unit === "By" ? bytes : number;
}
