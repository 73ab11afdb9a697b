// Announce an event by hand: a form from its schema, tried at everybody who hears it before it is sent.
import { html, useState } from "../shell/ui.js";
import { link } from "../shell/place.js";
import { useAction } from "./actions.js";
import { example, SchemaForm } from "./form.js";
import { Rehearsal } from "./rehearsal.js";
import { Trouble } from "./states.js";

/** @param {{event: any, data?: any}} given `data` is what the form begins with, in place of an example */
export function Publish({ event, data }) {
  const [value, setValue] = useState(() => data ?? example(event.form));
  const [tried, setTried] = useState(/** @type {any[] | null} */ (null));
  const [sent, setSent] = useState(/** @type {any} */ (null));
  const { busy, error, send } = useAction();
  const path = `/api/events/${encodeURIComponent(event.id)}/publish`;
  const rehearse = async () => {
    setSent(null);
    setTried((await send(path, { data: value, dry: true }))?.tried ?? null);
  };
  const announce = async (/** @type {Event} */ submitted) => {
    submitted.preventDefault();
    setTried(null);
    setSent(await send(path, { data: value }, `${event.id} was announced`));
  };
  return html`<form class="panel stack" aria-label=${`Publish ${event.id}`} onSubmit=${announce}>
    ${event.form && html`<${SchemaForm} form=${event.form} value=${value} onChange=${setValue} label="Data" />`}
    <div class="bar"><button type="button" disabled=${busy} onClick=${rehearse}>Dry run</button>
      <button type="submit" class="primary" disabled=${busy}>Publish</button></div>
    <${Trouble} error=${error} />
    ${tried && (tried.length ? tried.map((/** @type {any} */ one) => html`<${Rehearsal} key=${one.service} title=${one.service}
      found=${one.rehearsal} />`) : html`<p class="note">Nobody hears it.</p>`)}
    ${sent && html`<p role="status">Announced as <span class="mono">${sent.id}</span>. <a href=${link(`traces/${sent.trace_id}`)}>Trace</a>
      </p>`}
  </form>`;
}
