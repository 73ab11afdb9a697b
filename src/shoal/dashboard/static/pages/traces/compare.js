// What the traces in the box have that the others have not, in plain counts.
import { html } from "../../shell/ui.js";
import { useQuery } from "../../shell/data.js";
import { setParams } from "../../shell/place.js";
import { clock, duration, percent } from "../../shell/format.js";
import { Trouble } from "../../parts/states.js";
import { box } from "./scatter.js";

/** @param {{wanted: Record<string, string>}} given */
export function Compare({ wanted }) {
  const [first, last, shortest, longest] = box() ?? [0, 0, 0, 0];
  const asked = { ...wanted, errors: wanted.errors ? "true" : "", first, last, shortest, longest };
  const { data, error, loading } = useQuery("/api/traces/compare", asked, { timed: true, on: "" });
  return html`<aside class="panel compare" aria-label="Compared with the others" aria-busy=${loading}>
    <div class="title"><h2>What sets these apart</h2><span class="spring"></span>
      <button type="button" class="plain" aria-label="Close" onClick=${() => setParams({ box: "" })}>×</button></div>
    <p class="note">${clock(first).slice(0, 8)} to ${clock(last).slice(0, 8)}, ${duration(shortest)} to ${duration(longest)}
      <button type="button" class="link" onClick=${() => setParams({ since: first, until: last, min_ms: shortest, max_ms: longest, box: "" })}>show only these</button></p>
    <${Trouble} error=${error} />
    ${data && html`<p>${data.selected} selected, compared with ${data.others} others.</p>
      ${data.items.length === 0 && html`<p class="note">Nothing differs.</p>`}
      <ul class="features">${data.items.map((/** @type {any} */ one) => html`<li key=${`${one.key}=${one.value}`}>
        <div class="words"><span class="muted">${one.key}</span>
          ${one.key.includes(".") ? html`<button type="button" class="link mono" onClick=${() => setParams({ attribute: `${one.key}=${one.value}`, box: "" })}>${one.value}</button>`
            : html`<span class="mono">${one.value}</span>`}</div>
        <${Share} label="selected" count=${one.selected} of=${data.selected} kind="ours" />
        <${Share} label="others" count=${one.others} of=${data.others} kind="theirs" />
      </li>`)}</ul>`}
  </aside>`;
}

/** @param {{label: string, count: number, of: number, kind: string}} given */
function Share({ label, count, of, kind }) {
  const share = of ? count / of : 0;
  return html`<div class="share ${kind}"><i style=${{ width: `${share * 100}%` }}></i><span>${percent(share)} of ${label} (${count})</span></div>`;
}
