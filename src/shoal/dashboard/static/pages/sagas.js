// Sagas: how many are how, one with all that was tried and undone, and help for those that need a person.
import { html } from "../shell/ui.js";
import { link, param, params, setParams } from "../shell/place.js";
import { ago, clock, duration, moment, number } from "../shell/format.js";
import { useFresh } from "../parts/fresh.js";
import { Ask, Stopped, useAction } from "../parts/actions.js";
import { Text } from "../parts/fields.js";
import { Badge, Empty, Service, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";

/** @type {Record<string, string>} */
const TONES = { running: "good", retrying: "warn", compensating: "warn", parked: "bad", completed: "good", compensated: "idle" };
const STATES = Object.keys(TONES);
/** @type {Record<string, string>} */
const OUTCOMES = { done: "good", failed: "bad", away: "warn", rejected: "bad", refused: "bad", overdue: "bad", asked: "idle" };

/** Sagas that are listed at first, and at most. */
const FEW = 200, MOST = 1000;

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "id", title: "Saga", width: "minmax(12rem, 1.6fr)", cell: (saga) => saga.id },
  { name: "service", title: "Service", width: "120px", cell: (saga) => html`<${Service} name=${saga.service} />` },
  { name: "state", title: "State", width: "120px", cell: (saga) => html`<${Badge} kind=${TONES[saga.shown]}>${saga.shown}<//>` },
  { name: "step", title: "Step", width: "150px", cell: (saga) => (saga.step ? `${saga.direction === "backward" ? "undo " : ""}${saga.step}${saga.tries ? ` #${saga.tries + 1}` : ""}` : "–") },
  { name: "due", title: "Next attempt", width: "100px", cell: (saga) => (saga.due && ["running", "compensating"].includes(saga.status) ? clock(new Date(saga.due).getTime()).slice(0, 8) : "–") },
  { name: "updated", title: "Changed", width: "110px", cell: (saga) => ago(saga.updated) },
  { name: "error", title: "Why", width: "minmax(10rem, 2fr)", cell: (saga) => saga.error },
];

export default function Sagas() {
  const states = params("state");
  const shown = Math.min(MOST, Number(param("most")) || FEW);
  const { data, error, refresh } = useFresh("/api/sagas", { state: states, limit: shown }, { every: 1500 });
  const more = data?.more && shown < MOST ? () => setParams({ most: shown + FEW }, { replace: true }) : null;
  const wanted = param("find").toLowerCase();
  const all = data?.items ?? [];
  const items = all.filter((/** @type {any} */ one) => (!states.length || states.includes(one.shown)) && `${one.id} ${one.service} ${one.error}`.toLowerCase().includes(wanted));
  const total = STATES.reduce((sum, state) => sum + (data?.counts[state] ?? 0), 0);
  const turn = (/** @type {string} */ state) => setParams({ state: states.includes(state) ? states.filter((one) => one !== state) : [...states, state] });
  return html`<div class="page">
    <div class="title"><h1>Sagas</h1>
      ${(data?.kinds ?? []).map((/** @type {any} */ kind) => html`<span key=${kind.name} class="note"
        title=${kind.source}>${kind.name}: ${kind.steps.join(" › ")}</span>`)}</div>
    ${data && html`<${Stopped} live=${data.live} />`}
    <${Trouble} error=${error} />
    <div class="bar" role="group" aria-label="States">
      ${STATES.map((state) => html`<button key=${state} type="button" aria-pressed=${states.includes(state)} onClick=${() => turn(state)}>
        <${Badge} kind=${data?.counts[state] ? TONES[state] : "idle"}>${state} ${number(data?.counts[state] ?? 0)}<//></button>`)}
      <${Text} name="find" label="Find" hint="id, service, reason" search=${true} />
      ${data?.more && html`<span class="note">the ${number(all.length)} that changed last${shown < MOST ? "" : "; choose a state for others"}</span>`}</div>
    ${data && data.kinds.length === 0
      ? html`<${Empty} title="No saga is declared" command="shoal describe">A saga is a class with @service.saga: its steps, and how each is undone.<//>`
      : data && total === 0
        ? html`<${Empty} title="No saga has run"
          command=${data.live ? "shoal saga list --all" : "shoal run"}>Each that begins is listed here with every attempt.<//>`
        : html`<div class="columns">
          <${Table} label="Sagas" rows=${items} columns=${COLUMNS} id=${(/** @type {any} */ one) => one.id} chosen=${param("saga")} onEnd=${more}
            tone=${(/** @type {any} */ one) => ({ bad: "bad", warn: "warn" }[TONES[one.shown]] ?? "")}
              onChoose=${(/** @type {any} */ one) => setParams({ saga: one.id })} />
          ${param("saga") && data?.live && html`<${Details} key=${param("saga")} id=${param("saga")} onChange=${refresh} />`}
        </div>`}
  </div>`;
}

/** @param {{id: string, onChange: () => void}} given */
function Details({ id, onChange }) {
  const { data: saga, error, refresh } = useFresh("/api/saga", { id }, { every: 1500 });
  const { busy, error: failed, send } = useAction();
  const act = async (/** @type {string} */ what, /** @type {object} */ more, /** @type {string} */ done) => {
    if (await send(`/api/sagas/${what}`, { id: saga.id, service: saga.service, ...more }, done)) (refresh(), onChange());
  };
  if (!saga) return html`<aside class="panel wide-details"><${Trouble} error=${error} /></aside>`;
  const ended = ["completed", "compensated"].includes(saga.status);
  return html`<aside class="panel wide-details" aria-label=${saga.id}>
    <div class="title"><h2>${saga.id}</h2><${Badge} kind=${TONES[saga.shown]}>${saga.shown}<//><span class="spring"></span>
      <button type="button" class="plain" aria-label="Close" onClick=${() => setParams({ saga: "" })}>×</button></div>
    ${saga.error && html`<p class="bad-text">${saga.error}</p>`}
    <div class="bar">
      <button type="button" disabled=${busy || saga.status !== "parked"}
        onClick=${() => act("retry", {}, `${saga.id} goes on`)}>Retry</button>
      <${Ask} disabled=${busy || ended || saga.status === "compensating"} question=${`Undo ${saga.id}, step by step?`}
        act=${() => act("compensate", {}, `${saga.id} is undone`)}>Compensate<//>
      ${failed?.hint?.includes("--force") && html`<${Ask}
        word=${saga.id} question="Nobody knows whether its pivot happened. Undo it anyway?"
        act=${() => act("compensate", { force: true }, `${saga.id} is undone`)}>Compensate anyway<//>`}
      ${saga.trace_id && html`<a href=${link(`traces/${saga.trace_id}`)}>Trace</a>`}
    </div>
    <${Trouble} error=${error ?? failed} />
    <dl class="facts"><dt>Service</dt><dd><a href=${link(`service/${saga.service}`)}>${saga.service}</a></dd><dt>Began</dt>
      <dd>${moment(saga.started)}</dd><dt>Changed</dt><dd>${moment(saga.updated)}</dd>
      <dt>Deadline</dt><dd>${moment(saga.deadline)}</dd>${saga.due && !ended && html`<dt>Next</dt><dd>${moment(saga.due)}</dd>`}</dl>
    <${Steps} saga=${saga} />
    <${Timeline} journal=${saga.journal} />
    <details open><summary>What it knows</summary><pre class="scroll">${JSON.stringify(saga.state, null, 2)}</pre></details>
  </aside>`;
}

/** @param {{saga: any}} given */
function Steps({ saga }) {
  const reached = (/** @type {string} */ step, /** @type {string} */ direction) => saga.journal.some((/** @type {any} */ one) => one.step === step && one.direction === direction && one.outcome === "done");
  return html`<table class="plain-table"><caption class="visually-hidden">Steps</caption>
    <thead><tr><th scope="col">Step</th><th scope="col">Kind</th><th scope="col">State</th><th scope="col">Undone by</th>
      <th scope="col">Calls</th></tr></thead>
    <tbody>${saga.steps.map((/** @type {any} */ step) => {
      const [done, undone] = [reached(step.name, "forward"), reached(step.name, "backward")];
      const now = saga.step === step.name;
      return html`<tr key=${step.name}><td>${now ? html`<strong>${step.name}</strong>` : step.name}</td><td>${step.kind}</td>
        <td><${Badge} kind=${undone ? "idle" : done ? "good" : now ? TONES[saga.shown] : "idle"}>${undone ? "undone" : done ? "done" : now ? saga.shown : "not yet"}<//>
          </td>
        <td>${step.compensation || "–"}</td><td>${(step.calls ?? []).join(", ") || "–"}</td></tr>`;
    })}</tbody></table>`;
}

/** What the saga knew before an attempt and after it. @param {{one: any}} given */
function Known({ one }) {
  const [before, after] = [one.before, one.after].map((state) => JSON.stringify(state, null, 2));
  return html`<dl class="facts"><dt>Input</dt><dd><pre class="scroll">${before}</pre></dd>
    <dt>Output</dt><dd>${after === before ? "as it was" : html`<pre class="scroll">${after}</pre>`}</dd></dl>`;
}

/** Every attempt as a bar, with the wait before it. @param {{journal: any[]}} given */
function Timeline({ journal }) {
  if (!journal.length) return html`<p class="note">Nothing was tried yet.</p>`;
  const at = (/** @type {string} */ time) => new Date(time).getTime();
  const begin = at(journal[0].started), whole = Math.max(1, at(journal[journal.length - 1].ended) - begin);
  return html`<ol class="delivery" aria-label="Every attempt">${journal.map((one, n) => {
    const wait = n ? at(one.started) - at(journal[n - 1].ended) : 0, took = at(one.ended) - at(one.started);
    return html`<li key=${one.number} class=${OUTCOMES[one.outcome] === "bad" ? "bad-text" : ""}>
      <span>${one.direction === "backward" ? "undo " : ""}${one.step || "–"}</span>
      <span><${Badge} kind=${OUTCOMES[one.outcome]}>${one.outcome}${one.attempt > 1 ? `, attempt ${one.attempt}` : ""}<//> ${one.error}</span>
      <span class="note">${clock(at(one.started)).slice(0, 8)}, ${duration(took)}${wait > 500 ? `, after a wait of ${duration(wait)}` : ""}</span>
      <i aria-hidden="true"
        style=${{ marginLeft: `${Math.min(99, (100 * (at(one.started) - begin)) / whole)}%`, width: `${Math.max(0.7, (100 * took) / whole)}%` }}>
        </i><details><summary>Input and output</summary><${Known} one=${one} /></details></li>`;
  })}</ol>`;
}
