// Parts of a page, one at a time; which one is in the address.
import { html } from "../shell/ui.js";
import { param, setParams } from "../shell/place.js";

/** @param {{name?: string, label: string, tabs: [string, any][]}} given the first is shown when the address names none */
export function Tabs({ name = "part", label, tabs }) {
  const chosen = tabs.some(([key]) => key === param(name)) ? param(name) : tabs[0][0];
  const move = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex(([key]) => key === chosen);
    const next = (at + step + tabs.length) % tabs.length;
    setParams({ [name]: next ? tabs[next][0] : "" });
    /** @type {HTMLElement} */ (event.currentTarget).querySelectorAll("button")[next].focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
    ${tabs.map(([key, title], n) => html`<button key=${key} type="button" role="tab" aria-selected=${key === chosen ? "true" : "false"}
      tabindex=${key === chosen ? 0 : -1}
      onClick=${() => setParams({ [name]: n ? key : "" })}>${title}</button>`)}
  </div>`;
}

/** Which part is shown. @param {string[]} keys @param {string} [name] */
export function part(keys, name = "part") {
  return keys.includes(param(name)) ? param(name) : keys[0];
}
