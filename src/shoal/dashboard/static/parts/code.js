// A place in the author's code: named where something is declared, and shown where one looks at it.
import { html, useEffect, useRef } from "../shell/ui.js";
import { useQuery } from "../shell/data.js";
import { param, setParams } from "../shell/place.js";
import { Copy } from "./copy.js";
import { Trouble } from "./states.js";

/** The name of a place, where one is known; a click shows the code there. @param {{at: string}} given */
export function Place({ at }) {
  if (!at) return null;
  const open = param("code") === at;
  return html`<button type="button" class="link mono" aria-expanded=${open ? "true" : "false"} title="Show the code"
    onClick=${() => setParams({ code: open ? "" : at })}>${at}</button>`;
}

/** The code at the place that is open, if any is. */
export function Code() {
  const at = param("code");
  const { data, error } = useQuery(at ? "/api/code" : null, { at, run: "" }, { on: "resources" });
  const lines = data && at.startsWith(`${data.path}:`) ? data.lines : [];
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => box.current?.scrollIntoView({ block: "nearest" }), [at, lines.length > 0]);
  if (!at) return null;
  return html`<section class="panel" aria-label="Code" ref=${box}><div class="title"><h3 class="mono">${at}</h3><${Copy} text=${at} what="Place" />
      <span class="spring"></span><button type="button" class="plain" aria-label="Close" onClick=${() => setParams({ code: "" })}>×</button></div>
    <${Trouble} error=${error} />
    ${lines.length > 0 && html`<pre class="code">${lines.map((/** @type {string} */ line, /** @type {number} */ n) => html`<span
      key=${n} class=${data.first + n === data.line ? "meant" : ""}><span class="muted">${String(data.first + n).padStart(5)} </span>${line}${"\n"}</span>`)}</pre>`}
    </section>`;
}
