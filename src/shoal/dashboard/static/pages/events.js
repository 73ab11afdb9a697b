// Events: who says and hears each, how far everybody has come, what was given up, and announcing one by hand.
import { html, useState } from "../shell/ui.js";
import { get, troubleOf } from "../shell/data.js";
import { link, param, setParams } from "../shell/place.js";
import { ago, duration, number, plural } from "../shell/format.js";
import { useFresh } from "../parts/fresh.js";
import { Stopped } from "../parts/actions.js";
import { Text } from "../parts/fields.js";
import { Badge, Empty, Service, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { part, Tabs } from "../parts/tabs.js";
import { Letters } from "../parts/letters.js";
import { Code, Place } from "../parts/code.js";
import { Publish } from "../parts/publish.js";

const END = /** @type {"end"} */ ("end");
const OLD = 10;

/** @param {any} event */
const lagOf = (event) => (event.consumers.some((/** @type {any} */ one) => one.lag !== null) ? event.consumers.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + (one.lag ?? 0), 0) : null);
/** @param {any} event */
const lettersOf = (event) => event.consumers.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.letters, 0);

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "id", title: "Event", width: "minmax(12rem, 1.6fr)", cell: (event) => event.id },
  { name: "service", title: "Said by", width: "130px", cell: (event) => html`<${Service} name=${event.service} />` },
  { name: "consumers", title: "Heard by", width: "minmax(10rem, 2fr)", cell: (event) => event.consumers.map((/** @type {any} */ one) => one.service).join(", ") || "nobody" },
  { name: "version", title: "Version", width: "70px", align: END, cell: (event) => event.version },
  { name: "lag", title: "Lag", width: "70px", align: END, tip: "messages of the producer's stream that are not answered yet", cell: (event) => number(lagOf(event)) },
  { name: "letters", title: "Dead letters", width: "100px", align: END, cell: (event) => html`<span
    class=${lettersOf(event) ? "bad-text" : ""}>${number(lettersOf(event))}</span>` },
];

export default function Events() {
  const { data, error, refresh } = useFresh("/api/events", {}, { every: 2000 });
  const shown = part(["types", "letters", "outboxes"]);
  const all = data?.items ?? [];
  const wanted = param("find").toLowerCase();
  const items = all.filter((/** @type {any} */ one) => `${one.id} ${one.service} ${one.consumers.map((/** @type {any} */ c) => c.service)}`.toLowerCase().includes(wanted));
  const open = all.find((/** @type {any} */ one) => one.id === param("event"));
  const dead = all.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + lettersOf(one), 0);
  return html`<div class="page">
    <div class="title"><h1>Events</h1>
      ${data && html`<span class="note">${plural(all.length, "type")}</span>`}
      ${dead > 0 && html`<${Badge} kind="bad">${plural(dead, "dead letter")}<//>`}</div>
    ${data && html`<${Stopped} live=${data.live} />`}
    <${Trouble} error=${error} />
    <${Tabs} label="Parts of this page"
      tabs=${[["types", "Types"], ["letters", dead ? `Dead letters (${dead})` : "Dead letters"], ["outboxes", "Outboxes"]]} />
    ${data && all.length === 0
      ? html`<${Empty} title="No event is declared" command="shoal describe --flow">A service says what happened with publishes=[…], and hears with @service.on(…).<//>`
      : shown === "letters" ? html`<${Letters} onChange=${refresh} live=${data?.live ?? false} />`
      : shown === "outboxes" ? html`<${Outboxes} live=${data?.live ?? false} />`
      : html`<div class="bar"><${Text} name="find" label="Find" hint="event, service" search=${true} /></div>
        <div class="columns">
          <${Table} label="Event types" rows=${items} columns=${COLUMNS} id=${(/** @type {any} */ one) => one.id} chosen=${param("event")}
            tone=${(/** @type {any} */ one) => (lettersOf(one) ? "bad" : lagOf(one) ? "warn" : "")}
              onChoose=${(/** @type {any} */ one) => setParams({ event: one.id })} />
          ${open && html`<${Details} key=${open.id} event=${open} live=${data.live} />`}
        </div>`}
  </div>`;
}

/** @param {{event: any, live: boolean}} given */
function Details({ event, live }) {
  const [publishing, setPublishing] = useState(false);
  return html`<aside class="panel wide-details" aria-label=${event.id}>
    <div class="title"><h2>${event.id}</h2>${event.failure && html`<${Badge} kind="warn">says that a step failed<//>`}<span class="spring">
      </span>
      <button type="button" class="plain" aria-label="Close" onClick=${() => setParams({ event: "" })}>×</button></div>
    <dl class="facts">
      <dt>Said by</dt><dd><a href=${link(`service/${event.service}`)}>${event.service}</a></dd>
      <dt>Version</dt><dd>${event.version}</dd><dt>Ordered by</dt><dd>${event.key || "nothing"}</dd><dt>Declared</dt>
        <dd><${Place} at=${event.source} /></dd>
    </dl><${Code} />
    <table class="plain-table"><caption class="visually-hidden">Consumers</caption>
      <thead><tr><th scope="col">Heard by</th><th scope="col">Handler</th><th scope="col" class="end">Lag</th>
        <th scope="col" class="end">Dead</th></tr></thead>
      <tbody>${event.consumers.map((/** @type {any} */ one) => html`<tr key=${one.service}>
        <td><a href=${link(`service/${one.service}`)}>${one.service}</a></td><td class="mono"
          title=${one.source}>${one.handlers.join(", ")}</td>
        <td class="end">${number(one.lag)}</td>
        <td class="end">${one.letters ? html`<a class="bad-text"
          href=${link("events", { part: "letters", of: one.service, type: event.id })}>${one.letters}</a>` : 0}</td></tr>`)}
      </tbody></table>
    <div class="bar"><button type="button" aria-pressed=${publishing} disabled=${!live}
      onClick=${() => setPublishing(!publishing)}>Publish…</button>
      <a href=${link("traces", { attribute: `messaging.destination.name=${event.id}` })}>Traces</a></div>
    ${publishing && html`<${Publish} event=${event} />`}
    <details><summary>Schema</summary>
      <pre class="scroll">${JSON.stringify(event.form?.schema.$ref ? event.form.named[event.form.schema.$ref.split("/").pop()] : event.form?.schema, null, 2)}</pre>
      </details>
    <${Latest} event=${event} />
  </aside>`;
}

/** @param {{event: any}} given */
function Latest({ event }) {
  const path = `/api/events/${encodeURIComponent(event.id)}`;
  const { data, error } = useFresh(path, {}, { every: 3000 });
  const [older, setOlder] = useState(/** @type {{items: any[], next: number | null} | null} */ (null));
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const newest = data?.items ?? [], next = older ? older.next : data?.next;
  const items = [...newest, ...(older?.items ?? []).filter((one) => !newest.some((/** @type {any} */ other) => other.place === one.place))];
  const open = param("message");
  const more = () => get(path, { before: next }).then(
    (page) => setOlder({ items: [...items, ...page.items], next: page.next }), (trouble) => setFailed(troubleOf(trouble)));
  return html`<section><h3>Latest</h3><${Trouble} error=${error ?? failed} />
    ${data && items.length === 0 && html`<p class="note">${!data.live ? "The system is stopped." : next ? "None among the latest of its stream." : "Its stream holds none, or its broker keeps none."}</p>`}
    <ul class="plain-list">${items.map((/** @type {any} */ one) => html`<li key=${one.id}>
      <button type="button" class="link" aria-expanded=${open === one.id ? "true" : "false"}
        onClick=${() => setParams({ message: open === one.id ? "" : one.id })}>${one.key || one.id}</button>
       <span class="note">${" "}${ago(one.at)}</span>
      ${open === one.id && html`<${Message} one=${one} event=${event} />`}</li>`)}</ul>
    ${next && html`<button type="button" onClick=${more}>Older</button>`}
  </section>`;
}

/** One event: its data, and its way from the announcement to every handler. @param {{one: any, event: any}} given */
function Message({ one, event }) {
  const [again, setAgain] = useState(false);
  const { data } = useFresh(one.trace_id ? `/api/events/${encodeURIComponent(one.type)}/${one.id}/delivery` : null, { trace: one.trace_id }, { every: 3000 });
  const steps = data?.items ?? [];
  const whole = Math.max(1, ...steps.map((/** @type {any} */ step) => step.after + step.ms));
  return html`<div class="panel stack">
    <pre class="scroll">${JSON.stringify(one.data, null, 2)}</pre>
    ${steps.length > 0 && html`<ol class="delivery" aria-label="Delivery">${steps.map((/** @type {any} */ step, /** @type {number} */ n) => html`<li
      key=${n} class=${step.failed ? "bad-text" : ""}>
      <span>${step.service}</span><span>${step.what}</span>
        <span class="note">+${duration(step.after)}, ${duration(step.ms)}${step.waited ? `, waited ${duration(step.waited)}` : ""}${step.attempt > 1 ? `, attempt ${step.attempt}` : ""}</span>
      <i aria-hidden="true" style=${{ marginLeft: `${(100 * step.after) / whole}%`, width: `${Math.max(0.5, (100 * step.ms) / whole)}%` }}>
        </i></li>`)}</ol>`}
    <div class="bar">${one.trace_id && html`<a href=${link(`traces/${one.trace_id}`)}>Trace</a>`}
      <button type="button" aria-pressed=${again} onClick=${() => setAgain(!again)}>Publish one like it…</button></div>
    ${again && html`<${Publish} event=${event} data=${one.data} />`}
  </div>`;
}

/** @param {{live: boolean}} given */
function Outboxes({ live }) {
  const { data, error } = useFresh(live ? "/api/outboxes" : null, {}, { every: 2000 });
  if (!live) return html`<${Empty} title="Nothing runs" command="shoal run">What waits in outboxes is known while the system runs.<//>`;
  return html`<div class="stack"><${Trouble} error=${error} />
    <p class="note">An event is committed with its cause into the outbox of its service; a relay brings it to the broker from there.</p>
    <table class="plain-table"><thead><tr><th scope="col">Service</th><th scope="col" class="end">Waiting</th>
      <th scope="col" class="end">Oldest</th><th scope="col" class="end">Refused</th><th scope="col"></th></tr></thead>
    <tbody>${(data?.items ?? []).map((/** @type {any} */ one) => html`<tr key=${one.service}><td><${Service} name=${one.service} /></td>
      <td class="end">${number(one.count)}</td>
      <td class="end"><span class=${one.age > OLD ? "bad-text" : ""}>${one.count ? duration(one.age * 1000) : "–"}</span></td>
      <td class="end"><span class=${one.refused ? "bad-text" : ""}>${number(one.refused)}</span></td><td class="bad-text">${one.error}</td>
        </tr>`)}</tbody></table></div>`;
}
