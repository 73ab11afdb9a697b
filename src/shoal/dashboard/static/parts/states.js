// What stands where there is nothing to show: why, and what to do.
import { html } from "../shell/ui.js";
import { hue } from "../shell/format.js";
import { copy } from "./copy.js";

/** Nothing here yet. @param {{title: string, command?: string, children?: any}} given */
export function Empty({ title, command, children }) {
  return html`<div class="empty">
    <h2>${title}</h2>
    ${children && html`<p>${children}</p>`}
    ${command && html`<p><code>${command}</code> <button type="button" onClick=${() => copy(command)}>Copy</button></p>`}
  </div>`;
}

/** What went wrong, with its hint. @param {{error: import("../shell/data.js").Trouble | null}} given */
export function Trouble({ error }) {
  if (!error) return null;
  return html`<div class="trouble" role="alert">
    <strong>${error.title}</strong> ${error.detail}
    ${error.hint && html`<span class="hint">hint: ${error.hint}</span>`}
  </div>`;
}

/** A word with a colour and a dot, never the colour alone. @param {{kind: string, children?: any}} given */
export function Badge({ kind, children }) {
  return html`<span class="badge ${kind}">${children}</span>`;
}

/** A service's name with its colour. @param {{name: string}} given */
export function Service({ name }) {
  return html`<span class="service"><i style=${{ background: hue(name) }} aria-hidden="true"></i>${name}</span>`;
}
