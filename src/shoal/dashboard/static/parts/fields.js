// Boxes of a filter. Each is bound to a parameter of the address: what is chosen can be copied, and reloaded.
import { html, signal, useEffect, useRef, useState } from "../shell/ui.js";
import { param, params, setParams } from "../shell/place.js";

const PAUSE = 250;

/**
 * A box for words; the address follows when the writer pauses.
 * @param {{name: string, label: string, hint?: string, search?: boolean, wide?: boolean, type?: string}} given
 */
export function Text({ name, label, hint, search, wide, type = "search" }) {
  const value = param(name);
  const [draft, setDraft] = useState(value);
  const timer = useRef(/** @type {any} */ (0));
  const own = useRef(value);
  useEffect(() => {
    if (value !== own.current) setDraft((own.current = value));
  }, [value]);
  const settle = (/** @type {string} */ text) => {
    clearTimeout(timer.current);
    own.current = text.trim();
    setParams({ [name]: own.current }, { replace: true });
  };
  const typed = (/** @type {any} */ event) => {
    const text = event.target.value;
    setDraft(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => settle(text), PAUSE);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return html`<label class="field ${wide ? "wide" : ""}"><span>${label}</span>
    <input type=${type} value=${draft} placeholder=${hint} data-search=${search ? "" : null} spellcheck="false" autocomplete="off"
      onInput=${typed} onChange=${(/** @type {any} */ e) => settle(e.target.value)} /></label>`;
}

/** One of some. @param {{name: string, label: string, options: (string | [string, string])[], all?: string}} given */
export function Choice({ name, label, options, all = "all" }) {
  const pairs = options.map((one) => (Array.isArray(one) ? one : [one, one]));
  const value = param(name);
  const strange = value && !pairs.some(([key]) => key === value);
  return html`<label class="field"><span>${label}</span>
    <select value=${value} onChange=${(/** @type {any} */ e) => setParams({ [name]: e.target.value })}>
      <option value="">${all}</option>
      ${strange && html`<option value=${value}>${value}</option>`}
      ${pairs.map(([key, text]) => html`<option key=${key} value=${key}>${text}</option>`)}
    </select></label>`;
}

/** Yes or no. @param {{name: string, label: string}} given */
export function Toggle({ name, label }) {
  return html`<label class="field toggle"><input type="checkbox" checked=${param(name) === "1"}
    onChange=${(/** @type {any} */ e) => setParams({ [name]: e.target.checked ? "1" : "" })} /><span>${label}</span></label>`;
}

/** Several of some; none means all. @param {{name: string, label: string, options: string[], all?: string}} given */
export function Several({ name, label, options, all = "all" }) {
  const chosen = params(name);
  const box = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  useEffect(() => {
    const close = (/** @type {Event} */ event) => {
      const element = box.current;
      const key = event instanceof KeyboardEvent ? event.key : "";
      if (element?.open && (key === "Escape" || (!key && event.target instanceof Node && !element.contains(event.target)))) element.open = false;
    };
    document.addEventListener("click", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("click", close);
      document.removeEventListener("keydown", close);
    };
  }, []);
  const turn = (/** @type {string} */ one) => setParams({ [name]: chosen.includes(one) ? chosen.filter((c) => c !== one) : [...chosen, one] });
  const listed = [...new Set([...options, ...chosen])].sort();
  return html`<details class="several" ref=${box}>
    <summary><span class="word">${label}</span> ${chosen.length === 0 ? all : chosen.length > 2 ? `${chosen.length} chosen` : chosen.join(", ")}</summary>
    <div class="menu" role="group" aria-label=${label}>
      ${listed.map((one) => html`<label key=${one}><input type="checkbox" checked=${chosen.includes(one)} onChange=${() => turn(one)} />${one}</label>`)}
      <button type="button" disabled=${chosen.length === 0} onClick=${() => setParams({ [name]: [] })}>All</button>
    </div>
  </details>`;
}

/** Filters that were saved, by page; in this browser only. */
const saved = signal(readSaved());

/** Save the present filters of a page under a name, and choose one of those. @param {{page: string, names: string[]}} given `names` are the parameters that belong to it */
export function Saved({ page, names }) {
  const own = saved.value[page] ?? {};
  const [naming, setNaming] = useState(false);
  const keep = (/** @type {string} */ name) => {
    if (name) write({ ...saved.value, [page]: { ...own, [name]: Object.fromEntries(names.map((key) => [key, params(key)])) } });
    setNaming(false);
  };
  const chosen = (/** @type {any} */ event) => {
    const [act, name] = [event.target.value[0], event.target.value.slice(1)];
    event.target.value = "";
    if (act === "+") setNaming(true);
    else if (act === "=") setParams({ ...Object.fromEntries(names.map((key) => [key, ""])), ...own[name] });
    else if (act === "-") write({ ...saved.value, [page]: Object.fromEntries(Object.entries(own).filter(([key]) => key !== name)) });
  };
  return html`<label class="field"><span>Saved</span><select value="" onChange=${chosen} aria-label="Saved filters">
      <option value="">filters…</option>
      ${Object.keys(own).map((name) => html`<option key=${name} value=${`=${name}`}>${name}</option>`)}
      <option value="+">save the present one…</option>
      ${Object.keys(own).map((name) => html`<option key=${`-${name}`} value=${`-${name}`}>remove ${name}</option>`)}
    </select></label>
    ${naming && html`<${Naming} keep=${keep} close=${() => setNaming(false)} />`}`;
}

/** Asks for a name. @param {{keep: (name: string) => void, close: () => void}} given */
function Naming({ keep, close }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null)), input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => box.current?.showModal(), []);
  const save = () => keep(input.current?.value.trim() ?? "");
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    save();
  };
  return html`<dialog ref=${box} onClose=${close} aria-label="Save this filter"><div class="bar">
    <label class="field"><span>Name of this filter</span><input ref=${input} autofocus autocomplete="off" onKeyDown=${pressed} /></label>
    <button type="button" class="primary" onClick=${save}>Save</button><button type="button" onClick=${close}>Cancel</button></div></dialog>`;
}

/** @param {any} value */
function write(value) {
  saved.value = value;
  localStorage.setItem("shoal.filters", JSON.stringify(value));
}

/** @returns {Record<string, Record<string, Record<string, string[]>>>} */
function readSaved() {
  try {
    return JSON.parse(localStorage.getItem("shoal.filters") ?? "{}");
  } catch {
    return {};
  }
}
