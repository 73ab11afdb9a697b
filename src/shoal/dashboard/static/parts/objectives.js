// What a service promises, and what is left of what it may break.
import { html } from "../shell/ui.js";
import { useQuery } from "../shell/data.js";
import { number, percent } from "../shell/format.js";
import { Badge } from "./states.js";

const LOW = 0.25;

/** @param {{service: string, promised: string[]}} given */
export function Objectives({ service, promised }) {
  const { data } = useQuery("/api/slo", { service: [service] }, { every: 2000 });
  const items = data?.items ?? [];
  if (!items.length) return promised.length ? html`<section aria-label="Objectives"><h2>Objectives</h2><p>${promised.join("; ")}</p></section>` : null;
  return html`<section aria-label="Objectives"><h2>Objectives</h2><table class="plain-table"><thead><tr><th scope="col">Of</th><th scope="col">Promise</th><th scope="col" class="end">Good</th><th scope="col" class="end">Bad</th>
    <th scope="col">Budget left</th><th scope="col" class="end">Burn rate</th><th scope="col"></th></tr></thead><tbody>
    ${items.map((/** @type {any} */ one) => html`<tr key=${`${one.of} ${one.objective}`}><td>${one.of}</td><td>${one.promise}</td><td class="end">${number(one.good)}</td><td class="end ${one.bad ? "bad-text" : ""}">${number(one.bad)}</td>
      <td><span class="budget" role="img" aria-label=${`${percent(Math.max(0, one.left))} of the budget is left`}><i style=${{ width: `${Math.max(0, Math.min(1, one.left)) * 100}%` }} class=${one.left < LOW ? "bad" : ""}></i></span> ${percent(one.left)}</td>
      <td class="end">${number(one.rate)}</td><td>${one.sounding ? html`<${Badge} kind=${one.sounding === "page" ? "bad" : "warn"}>burns fast<//>` : one.left < 0 ? html`<${Badge} kind="bad">used up<//>` : ""}</td></tr>`)}</tbody></table></section>`;
}
