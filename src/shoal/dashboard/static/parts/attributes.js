// Names and values as they came, with a way to look for the same elsewhere.
import { html } from "../shell/ui.js";
import { link } from "../shell/place.js";

/** @param {{values: Record<string, any>, seek?: boolean}} given `seek` links each to the traces that have it, too */
export function Attributes({ values, seek }) {
  const names = Object.keys(values).sort();
  if (names.length === 0) return html`<p class="note">none</p>`;
  return html`<dl class="facts attributes">
    ${names.map((name) => html`<dt key=${name}>${name}</dt>
      <dd class="mono">${seek && short(values[name])
        ? html`<a href=${link("traces", { attribute: `${name}=${values[name]}` })} title="Traces with the same">${text(values[name])}</a>`
        : text(values[name])}</dd>`)}
  </dl>`;
}

/** @param {any} value */
function short(value) {
  return typeof value !== "object" && String(value).length < 120;
}

/** @param {any} value */
function text(value) {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
