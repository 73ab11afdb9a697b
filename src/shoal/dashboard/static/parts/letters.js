// Dead letters: why each was given up, and what can be done: try, correct, send again, throw away.
import { html, useState } from "../shell/ui.js";
import { link, param, params, setParams } from "../shell/place.js";
import { ago, moment, number, plural } from "../shell/format.js";
import { useFresh } from "./fresh.js";
import { Ask, useAction } from "./actions.js";
import { Text } from "./fields.js";
import { Rehearsal } from "./rehearsal.js";
import { Empty, Service, Trouble } from "./states.js";
import { Table } from "./table.js";

const END = /** @type {"end"} */ ("end");

/** @type {import("./table.js").Column[]} */
const COLUMNS = [
  { name: "chosen", title: "", width: "24px", cell: (letter) => html`<input type="checkbox" aria-label=${`Choose ${letter.id}`}
    checked=${params("letters").includes(letter.id)} onChange=${() => toggle(letter.id)} />` },
  { name: "id", title: "Letter", width: "130px", cell: (letter) => letter.id },
  { name: "service", title: "Given up by", width: "120px", cell: (letter) => html`<${Service} name=${letter.service} />` },
  { name: "type", title: "Event", width: "minmax(10rem, 1fr)", cell: (letter) => letter.type || "no event" },
  { name: "key", title: "Key", width: "minmax(6rem, 1fr)", cell: (letter) => letter.key || "–" },
  { name: "attempts", title: "Attempts", width: "70px", align: END, cell: (letter) => number(letter.attempts) },
  { name: "at", title: "Since", width: "90px", cell: (letter) => ago(letter.at) },
  { name: "error", title: "Error", width: "minmax(10rem, 2fr)", cell: (letter) => html`<span class="bad-text">${letter.error}</span>` },
];

/** @param {string} id */
function toggle(id) {
  const chosen = params("letters");
  setParams({ letters: chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id] }, { replace: true });
}

/** @param {{onChange: () => void, live: boolean}} given */
export function Letters({ onChange, live }) {
  const { data, error, refresh } = useFresh("/api/letters", { service: param("of"), type: param("type"), find: param("find") }, { every: 2000 });
  const { busy, error: failed, send } = useAction();
  const [tried, setTried] = useState(/** @type {any[]} */ ([]));
  const items = data?.items ?? [];
  const chosen = params("letters").filter((id) => items.some((/** @type {any} */ one) => one.id === id));
  const open = items.find((/** @type {any} */ one) => one.id === param("letter"));
  const ids = chosen.length ? chosen : open ? [open.id] : items.map((/** @type {any} */ one) => one.id);
  const which = chosen.length || !open ? plural(ids.length, "letter") : open.id;
  const after = () => (setParams({ letters: [], letter: "" }, { replace: true }), refresh(), onChange());
  const act = async (/** @type {string} */ what, /** @type {string} */ done) => {
    if (await send(`/api/letters/${what}`, { ids }, done)) after();
  };
  if (data && data.total === 0 && !param("find")) {
    return html`<${Empty} title="No dead letters" command=${live ? "shoal dlq list" : "shoal run"}>
      What a handler gives up after its attempts, or nobody can read, waits here for you.
      ${(param("of") || param("type")) && html` <button type="button" class="link"
        onClick=${() => setParams({ of: "", type: "" })}>Show those of every service</button>`}<//>`;
  }
  return html`<div class="bar"><${Text} name="find" label="Find" hint="error, key, event" search=${true} />
      ${param("of") && html`<button type="button" onClick=${() => setParams({ of: "", type: "" })}>only ${param("of")} ×</button>`}
      ${data && (data.more || data.total > items.length) && html`<span class="note">${number(items.length)} of ${number(data.total)}${data.more ? " and more, the oldest" : ""}</span>`}
      <span class="spring"></span>
      <button type="button" disabled=${busy || !ids.length}
        onClick=${async () => setTried((await send("/api/letters/try", { ids }))?.tried ?? [])}>Dry run ${which}</button>
      <button type="button" class="primary" disabled=${busy || !ids.length} onClick=${() => act("replay", `${which} sent again`)}>Replay ${which}</button>
      <${Ask} disabled=${busy || !ids.length} question=${`Throw ${which} away for good? What they should have done never happens.`}
        act=${() => act("purge", `${which} thrown away`)}>Throw ${which} away<//></div>
    <${Trouble} error=${error ?? failed} />
    <div class="columns">
      <${Table} label="Dead letters" rows=${items} columns=${COLUMNS} id=${(/** @type {any} */ one) => one.id} chosen=${param("letter")}
        tone=${() => "bad"}
        onChoose=${(/** @type {any} */ one) => (setTried([]), setParams({ letter: one.id }))} />
      ${open && html`<${Letter} key=${open.id} letter=${open}
        onChange=${(/** @type {string} */ id) => (refresh(), setParams({ letter: id }))} />`}
    </div>
    ${tried.length > 0 && html`<div class="stack" role="status">${tried.map((/** @type {any} */ one) => html`<${Rehearsal} key=${one.id}
      title=${one.id} found=${one} />`)}</div>`}`;
}

/** @param {{letter: any, onChange: (id: string) => void}} given */
function Letter({ letter, onChange }) {
  const [text, setText] = useState(/** @type {string | null} */ (null));
  const { busy, error, send } = useAction();
  const present = JSON.stringify(letter.data, null, 2);
  const keep = async (/** @type {Event} */ event) => {
    event.preventDefault();
    let data;
    try {
      data = JSON.parse(text ?? present);
    } catch {
      data = text;
    }
    const after = await send("/api/letters/edit", { id: letter.id, data }, "Corrected; replay sends it");
    if (after) onChange(after.id);
  };
  return html`<aside class="panel wide-details" aria-label=${letter.id}>
    <div class="title"><h2>${letter.id}</h2><span class="spring"></span><button type="button" class="plain" aria-label="Close"
      onClick=${() => setParams({ letter: "" })}>×</button></div>
    <p class="bad-text">${letter.error}</p>
    <dl class="facts"><dt>Event</dt><dd>${letter.type || "none"} ${letter.event}</dd><dt>Key</dt><dd>${letter.key || "–"}</dd>
      <dt>Given up</dt><dd>${moment(letter.at)} after ${plural(letter.attempts, "attempt")}</dd>
      <dt>From</dt><dd>${letter.stream} at ${letter.sequence}</dd>${letter.edited && html`<dt>Edited</dt>
        <dd>yes, its first data is kept</dd>`}</dl>
    <form class="stack" onSubmit=${keep}>
      <label class="stack"><span class="note">Data</span><textarea class="mono" rows="8" spellcheck="false" value=${text ?? present}
        onInput=${(/** @type {any} */ e) => setText(e.target.value)}></textarea></label>
      <div class="bar"><button type="submit" disabled=${busy || text === null || text === present}>Keep this data</button>
        ${letter.trace && html`<a href=${link(`traces/${letter.trace.split("-")[1]}`)}>Trace</a>`}</div>
    </form>
    <${Trouble} error=${error} />
    ${letter.history?.length > 0 && html`<details open><summary>Attempts</summary>
      <ol>${letter.history.map((/** @type {any} */ one, /** @type {number} */ n) => html`<li
      key=${n}>${moment(one.at)}, replica ${one.replica}: ${one.error}</li>`)}</ol></details>`}
    ${letter.stack?.length > 0 && html`<details><summary>Stack</summary>
      <pre class="scroll">${Array.isArray(letter.stack) ? letter.stack.join("\n") : letter.stack}</pre></details>`}
  </aside>`;
}
