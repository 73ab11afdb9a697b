// What a service promises, what is left of what it may break, and how fast that burns.
import { html } from "../shell/ui.js";
import { runs } from "../shell/data.js";
import { ago, duration, number, percent } from "../shell/format.js";
import { useFresh } from "./fresh.js";
import { Badge } from "./states.js";

const LOW = 0.25;

/** @param {{service: string, promised: string[]}} given */
export function Objectives({ service, promised }) {
  const { data } = useFresh(runs.value.length ? "/api/slo" : null, {}, { every: 2000 });
  const items = (data?.items ?? []).filter((/** @type {any} */ one) => one.service === service);
  if (!items.length) return promised.length ? html`<section aria-label="Objectives"><h2>Objectives</h2><p>${promised.join("; ")}</p>
    </section>` : null;
  return html`<section aria-label="Objectives"><h2>Objectives</h2><table class="plain-table"><thead><tr><th scope="col">Of</th>
    <th scope="col">Promise</th><th scope="col" class="end">Good</th><th scope="col" class="end">Bad</th>
    <th scope="col">Budget left</th><th scope="col">Burns</th></tr></thead><tbody>
    ${items.map((/** @type {any} */ one) => html`<tr key=${`${one.operation} ${one.name}`}><td>${one.operation}</td><td>${one.promise}</td>
      <td class="end">${number(one.good)}</td><td class="end ${one.bad ? "bad-text" : ""}">${number(one.bad)}</td>
      <td><span class="budget" aria-hidden="true"><i style=${{ width: `${Math.max(0, Math.min(1, one.budget_left)) * 100}%` }}
        class=${one.budget_left < LOW ? "bad" : ""}></i></span> ${percent(one.budget_left)}</td>
      <td><${Burns} one=${one} /></td></tr>`)}</tbody></table></section>`;
}

/** How fast, over the window in which it is fastest. @param {{one: any}} given */
function Burns({ one }) {
  const sounding = one.burns.find((/** @type {any} */ burn) => burn.sounding);
  const fastest = sounding ?? one.burns.reduce((/** @type {any} */ a, /** @type {any} */ b) => (b.rate > a.rate ? b : a), one.burns[0]);
  if (!fastest || fastest.rate <= 0) return one.budget_left < 0 ? html`<${Badge} kind="bad">used up<//>` : "–";
  const said = `${number(fastest.rate)} times as fast as it may, over ${duration(fastest.window * 1000)}`;
  return html`<span title=${said}>${sounding ? html`<${Badge}
    kind=${sounding.severity === "page" ? "bad" : "warn"}>burns fast<//> ` : ""}${number(fastest.rate)} ×</span>`;
}

/** What somebody should hear of about a service. @param {{service: string}} given */
export function Noticed({ service }) {
  const { data } = useFresh(runs.value.length ? "/api/notices" : null, { service }, { on: "notice" });
  const items = (data?.items ?? []).filter((/** @type {any} */ one) => one.until === null);
  return items.map((/** @type {any} */ one) => html`<p
    key=${`${one.since} ${one.text}`} class="trouble ${one.severity === "page" ? "" : "quiet"}" role="status">${one.text} <span class="note">since ${ago(one.since)}</span>
    </p>`);
}
