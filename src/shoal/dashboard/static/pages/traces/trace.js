// One trace: the waterfall, and what is known of the span that is chosen.
import { html, useEffect, useMemo, useState } from "../../shell/ui.js";
import { get, isLive, useQuery } from "../../shell/data.js";
import { bind } from "../../shell/keys.js";
import { link, param, params, setParams } from "../../shell/place.js";
import { duration, moment, number, plural } from "../../shell/format.js";
import { Toggle, Text } from "../../parts/fields.js";
import { copy, save } from "../../parts/copy.js";
import { Badge, Empty, Service, Trouble } from "../../parts/states.js";
import { Details } from "./details.js";
import { curl, pytest, request } from "./export.js";
import { grow, rows } from "./tree.js";
import { Waterfall } from "./waterfall.js";

/** Spans from which on a trace is asked for less often, and milliseconds after its end in which something may still come. */
const LARGE = 1000, SETTLED = 120_000;

/** @param {{id: string}} given */
export function Trace({ id }) {
  const [settled, settle] = useState(false);
  const [large, grown] = useState(false);
  const { data, error, loading } = useQuery(`/api/traces/${id}`, {}, { on: settled ? "" : "tick", every: large ? 5000 : 1000 });
  useEffect(() => {
    if (!data) return;
    grown(data.total > LARGE);
    settle(Date.now() - data.started - data.ms > SETTLED);
  }, [data]);
  const tree = useMemo(() => grow(data?.spans ?? [], isLive() ? Date.now() : 0), [data]);
  const logs = useMemo(() => bySpan(data?.logs ?? []), [data]);
  const folded = params("fold").join(), unfolded = params("unfold").join();
  const listed = useMemo(() => rows(tree, {
    folded: new Set(params("fold")), unfolded: new Set(params("unfold")), logs: param("logs") ? logs : null,
  }), [tree, logs, folded, unfolded, param("logs")]);
  const chosen = tree.all.get(param("span"));
  const root = tree.roots[0]?.span;
  const answered = root && root.ms < 0.7 * (tree.end - tree.begin) && !param("to") ? root.started + root.ms - tree.begin : 0;
  useEffect(() => bind("l", "logs within the trace", () => setParams({ logs: param("logs") ? "" : "1" })), []);

  if (!data) return html`<div class="page"><h1>Trace</h1>
    ${error?.status === 404 ? html`<${Empty} title=${error.detail} command="shoal traces">It may be of another run, or older than what is kept.<//>`
      : error ? html`<${Trouble} error=${error} />` : loading && html`<div class="loading"></div>`}</div>`;
  return html`<div class="page">
    <${Title} data=${data} tree=${tree} />
    <div class="bar">
      <${Text} name="mark" label="Highlight" hint="name, or key=value" search=${true} />
      <${Toggle} name="logs" label="logs" />
      <${Toggle} name="critical" label="only what the end waited for" />
      <button type="button" onClick=${() => foldAll(tree)} disabled=${data.spans.length < 3}>${folded ? "Unfold all" : "Fold"}</button>
      ${answered > 0 && html`<button type="button" onClick=${() => setParams({ from: "", to: answered.toFixed(3) })} title="Leave out what events did afterwards">Until the answer</button>`}
      ${(param("from") || param("to")) && html`<button type="button" onClick=${() => setParams({ from: "", to: "" })}>Whole time</button>`}
      <span class="spring"></span>
      <${Against} id=${data.trace_id} />
    </div>
    ${data.total > data.spans.length && html`<p class="note">The first ${number(data.spans.length)} of ${number(data.total)} spans are shown.</p>`}
    ${tree.repeats.slice(0, 3).map((one) => html`<p key=${one.first.span.span_id} class="finding">
      <${Badge} kind="warn">N+1<//> ${one.count} × <button type="button" class="link mono" onClick=${() => setParams({ span: one.parent.span.span_id })}>${one.name}</button>
      ${" "}within ${one.parent.span.service} ${one.parent.span.name}, ${duration(one.ms)} together: ask for all at once.</p>`)}
    <div class="columns">
      <${Waterfall} tree=${tree} rows=${listed} logs=${logs} />
      ${chosen && html`<${Details} node=${chosen} logs=${logs.get(chosen.span.span_id) ?? []} begin=${tree.begin} />`}
    </div>
  </div>`;
}

/** @param {{data: any, tree: import("./tree.js").Tree}} given */
function Title({ data, tree }) {
  const root = tree.roots[0]?.span;
  const errors = data.spans.filter((/** @type {any} */ span) => span.status === "error").length;
  const open = [...tree.all.values()].some((one) => one.open);
  return html`<div class="title">
    <h1>${root ? html`<${Service} name=${root.service || "?"} /> ${root.name}` : "Logs of a trace"}</h1>
    ${errors > 0 && html`<${Badge} kind="bad">${plural(errors, "error")}<//>`}
    ${open && html`<${Badge} kind="warn">a part is open<//>`}
    <span class="note">${duration(data.ms)} · ${plural(data.total, "span")} · ${plural(tree.services.length, "service")} · ${moment(data.started)}</span>
    <button type="button" class="link mono" title="Copy the trace id" onClick=${() => copy(data.trace_id, "Id")}>${data.trace_id}</button>
    <span class="spring"></span>
    <${Take} data=${data} tree=${tree} />
  </div>`;
}

/** @param {{data: any, tree: import("./tree.js").Tree}} given */
function Take({ data, tree }) {
  const { data: system } = useQuery("/api/resources", {}, { on: "" });
  const gateway = system?.gateway || "http://127.0.0.1:8000";
  const asked = request(tree);
  const given = async (/** @type {(roles: string[] | null) => string} */ write, /** @type {string} */ what) => copy(write(await needed(asked?.operation ?? "")), what);
  return html`<button type="button" disabled=${!asked} onClick=${() => given((roles) => curl(tree, gateway, roles), "Command")} title="The request that began it">Copy curl</button>
    <button type="button" disabled=${!asked} onClick=${() => given((roles) => pytest(tree, data, roles), "Test")} title="A test that asks the same and expects the same">Copy as pytest</button>
    <button type="button" onClick=${() => save(`trace-${data.trace_id.slice(0, 12)}.json`, JSON.stringify(data, null, 1))}>Export JSON</button>
    <a class="button" href=${link("logs", { trace_id: data.trace_id, service: [] })}>Logs</a>`;
}

/** The roles that an operation asks for; null where nobody has to sign in, or nobody knows it. @param {string} operation */
async function needed(operation) {
  try {
    const { items } = await get("/api/explorer");
    const found = items.find((/** @type {any} */ one) => `${one.service}.${one.name}` === operation);
    return found?.access === "principal" ? found.roles : null;
  } catch {
    return null;
  }
}

/** @param {{id: string}} given */
function Against({ id }) {
  const compare = (/** @type {any} */ event) => {
    event.preventDefault();
    const other = event.target.elements.other.value.trim();
    if (other) setParams({ against: other });
  };
  return html`<form class="bar" onSubmit=${compare}><label class="field"><span>Diff with</span>
    <input name="other" class="mono" placeholder="trace id" size="14" spellcheck="false" autocomplete="off" aria-label=${`Diff ${id.slice(0, 8)} with`} /></label></form>`;
}

/** Fold what is below the second row, or unfold everything. @param {import("./tree.js").Tree} tree */
function foldAll(tree) {
  const folded = params("fold").length > 0;
  const inner = [...tree.all.values()].filter((one) => one.depth >= 1 && one.depth <= 2 && one.children.length > 0).slice(0, 60);
  setParams({ fold: folded ? [] : inner.map((one) => one.span.span_id) });
}

/** @param {any[]} lines */
function bySpan(lines) {
  /** @type {Map<string, any[]>} */
  const found = new Map();
  for (const line of lines) {
    const known = found.get(line.span_id);
    if (known) known.push(line);
    else found.set(line.span_id, [line]);
  }
  return found;
}
