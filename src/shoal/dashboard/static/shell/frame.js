// What is around every page: navigation, run, time, pause, theme, keys, and what went wrong.
import { html, useEffect, useMemo, useState } from "./ui.js";
import { link, page, param, place, setParams } from "./place.js";
import { isLive, line, newest, notice, paused, run, runs, useQuery } from "./data.js";
import { end, RANGES, USUAL } from "./time.js";
import { assign, clock, duration, moment, plural } from "./format.js";
import { helping, listing } from "./keys.js";
import { theme, turn } from "./theme.js";
import { said, sayings } from "./say.js";
import { PAGES, pageOf } from "../pages/table.js";

export function Frame() {
  const { data: names } = useQuery("/api/names", {}, { every: 5000 });
  useMemo(() => assign(names?.services ?? []), [names]);
  const now = run();
  end.value = now && !now.live ? (now.ended ?? 0) : 0;
  return html`
    <a class="skip" href="#content">Skip to the page</a>
    <${Header} />
    <${Navigation} />
    <main id="content" tabindex="-1"><${Body} /></main>
    <${Sayings} />
    ${helping.value && html`<${Help} />`}
  `;
}

function Header() {
  return html`<header>
    <a class="brand" href=${link("map", {})}><span class="mark" aria-hidden="true"></span>Shoal</a>
    <${RunSelector} />
    <${Range} />
    <button type="button" aria-pressed=${paused.value} onClick=${() => (paused.value = !paused.value)} title="Pause (p)">
      ${paused.value ? "▶ Go on" : "❚❚ Pause"}
    </button>
    <${Line} />
    <span class="spring"></span>
    <${Bell} />
    <button type="button" onClick=${turn} title="Light, dark, or as the system says">
      ${{ "": "◐ System", light: "○ Light", dark: "● Dark" }[theme.value]}
    </button>
    <button type="button" onClick=${() => (helping.value = true)} title="Keys (?)" aria-label="Keys">?</button>
  </header>`;
}

function RunSelector() {
  const listed = runs.value.slice(0, 10);
  const chosen = param("run");
  const older = chosen && !listed.some((one) => String(one.number) === chosen);
  return html`<label class="field">
    <span>Run</span>
    <select aria-label="Run" value=${chosen} onChange=${(/** @type {any} */ e) => setParams({ run: e.target.value, since: "", until: "" })}>
      <option value="">${newest()?.live === false ? "newest" : "live"}</option>
      ${older && html`<option value=${chosen}>#${chosen}</option>`}
      ${listed.map((one) => html`<option key=${one.number} value=${one.number}>
        #${one.number} ${one.system} · ${moment(one.started)}${one.live ? " · live" : one.source ? ` · from ${one.source}` : ""}
      </option>`)}
    </select>
  </label>`;
}

function Range() {
  const since = param("since"), until = param("until");
  const fixed = since !== "";
  const set = (/** @type {any} */ event) => {
    if (event.target.value !== "fixed") setParams({ range: event.target.value === USUAL ? "" : event.target.value, since: "", until: "" });
  };
  return html`<label class="field">
    <span>Time</span>
    <select aria-label="Time range" value=${fixed ? "fixed" : param("range", USUAL)} onChange=${set}>
      ${Object.keys(RANGES).map((name) => html`<option key=${name} value=${name}>${name === "run" ? "whole run" : `last ${name}`}</option>`)}
      ${fixed && html`<option value="fixed">
        ${clock(Number(since)).slice(0, 8)} to ${until ? `${clock(Number(until)).slice(0, 8)} (${duration(Number(until) - Number(since))})` : "now"}
      </option>`}
    </select>
  </label>`;
}

function Line() {
  const [word, kind] = !isLive() ? ["recorded", "idle"]
    : paused.value ? ["paused", "warn"]
    : line.value === "lost" ? ["no connection: shoal ps", "bad"] : ["live", "good"];
  return html`<span class="badge ${kind}" role="status">${word}</span>`;
}

function Bell() {
  const { data } = useQuery(runs.value.length ? "/api/notices" : null, { going: "true" }, { on: "notice" });
  const items = data?.items ?? [];
  if (items.length === 0) return null;
  const kind = items.some((/** @type {any} */ one) => one.severity === "page") ? "bad" : "warn";
  return html`<a class="badge ${kind}" href=${link("notices")}>${plural(items.length, "notice")}</a>`;
}

function Navigation() {
  const groups = [...new Set(PAGES.map((one) => one.group).filter(Boolean))];
  void place.value;
  return html`<nav aria-label="Pages">
    ${groups.map((group) => html`<section key=${group}>
      <h2>${group}</h2>
      ${PAGES.filter((one) => one.group === group).map((one) => html`<a
        key=${one.name} href=${link(one.name)} aria-current=${pageOf(page.value).name === one.name ? "page" : null}
        title=${one.key ? `g ${one.key}` : null}>${one.title}</a>`)}
    </section>`)}
  </nav>`;
}

/** @type {Map<string, any>} */
const loaded = new Map();

function Body() {
  const wanted = pageOf(page.value);
  const [, again] = useState(0);
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    document.title = `${wanted.title} · Shoal`;
    if (!loaded.has(wanted.name))
      wanted.load().then((module) => {
        loaded.set(wanted.name, module.default);
        again((n) => n + 1);
      }, (error) => setTrouble(String(error)));
  }, [wanted.name]);
  const Shown = loaded.get(wanted.name);
  if (trouble) return html`<div class="trouble" role="alert">This page cannot be loaded: ${trouble}</div>`;
  return Shown ? html`<${Shown} key=${wanted.name} />` : html`<div class="loading" aria-busy="true"></div>`;
}

function Sayings() {
  const news = notice.value?.text ? notice.value : null;
  return html`<div class="sayings">
    <div aria-live="polite" role="status">
      ${sayings.value.map((one) => html`<p key=${one.id} class="saying ${one.kind}">
        ${one.text} <button type="button" class="plain" aria-label="Close" onClick=${() => said(one.id)}>×</button>
      </p>`)}
      ${news && html`<p class="saying ${news.severity === "page" ? "bad" : "warn"}"><a href=${link("notices")}>${news.text}</a>
        <button type="button" class="plain" aria-label="Close" onClick=${() => (notice.value = null)}>×</button></p>`}
    </div>
  </div>`;
}

function Help() {
  useEffect(() => {
    const dialog = /** @type {HTMLDialogElement | null} */ (document.querySelector("dialog.help"));
    if (dialog && !dialog.open) dialog.showModal();
  }, []);
  const close = () => (helping.value = false);
  return html`<dialog class="help" aria-labelledby="keys" onClose=${close}>
    <h2 id="keys">Keys</h2>
    <dl>${listing().map(([key, label]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${label}</dd></div>`)}</dl>
    <p class="note">Every filter is in the address: copy it, and another browser shows the same.
      ${" "}${plural(runs.value.length, "run")} recorded.</p>
    <button type="button" autofocus onClick=${close}>Close</button>
  </dialog>`;
}

