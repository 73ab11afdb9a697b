// What a handler would do, as a dry run found it.
import { html } from "../shell/ui.js";
import { Badge } from "./states.js";

/** @param {{title: string, found: any}} given */
export function Rehearsal({ title, found }) {
  const good = !found.error && !found.withheld;
  const verdict = found.already ? "nothing would happen: it was handled before"
    : found.error ? `would fail: ${found.error}` : found.withheld ? `would go outside, which a dry run does not: ${found.withheld}` : "would succeed";
  return html`<section class="panel" aria-label=${`Dry run of ${title}`}>
    <div class="title"><h3>${title}</h3><span class="mono">${found.handler}</span><${Badge}
      kind=${good ? "good" : found.error ? "bad" : "warn"}>${verdict}<//></div>
    ${found.where && html`<p class="mono">${found.where}</p>`}
    ${found.changes?.length > 0 && html`<table class="plain-table"><thead><tr><th scope="col">Row</th><th scope="col">Before</th>
      <th scope="col">After</th></tr></thead>
      <tbody>${found.changes.map((/** @type {any} */ one, /** @type {number} */ n) => html`<tr key=${n}>
        <td>${one.table} ${String(one.key)}</td>
        <td><pre>${one.before ? JSON.stringify(one.before, null, 1) : "–"}</pre></td><td>
          <pre>${one.after ? JSON.stringify(one.after, null, 1) : "–"}</pre></td></tr>`)}</tbody></table>`}
    ${found.statements?.map((/** @type {string} */ sql) => html`<pre key=${sql}>${sql}</pre>`)}
    ${found.announced?.map((/** @type {any} */ event, /** @type {number} */ n) => html`<p
      key=${n}>announces <span class="mono">${event.type}</span> ${event.key}</p>`)}
  </section>`;
}
