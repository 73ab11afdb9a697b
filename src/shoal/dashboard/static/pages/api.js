// The explorer: every operation as a form, sent as a test user, with the trace under its answer, and as code.
import { html, useEffect, useMemo, useState } from "../shell/ui.js";
import { useQuery } from "../shell/data.js";
import { link, param, setParams } from "../shell/place.js";
import { bytes, duration } from "../shell/format.js";
import { Stopped, useAction } from "../parts/actions.js";
import { Code as Source, Place } from "../parts/code.js";
import { Copy, save } from "../parts/copy.js";
import { Choice, Text } from "../parts/fields.js";
import { example, hintOf, resolved, SchemaForm } from "../parts/form.js";
import { Badge, Empty, Service, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";

const REFUSED = 400;

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "method", title: "Method", width: "64px", cell: (one) => html`<strong>${one.method}</strong>` },
  { name: "path", title: "Path", width: "minmax(9rem, 1.6fr)", cell: (one) => html`<span class="mono">${one.path}</span>` },
  { name: "service", title: "Service", width: "110px", cell: (one) => html`<${Service} name=${one.service} />` },
  { name: "name", title: "Operation", width: "minmax(7rem, 1fr)", cell: (one) => one.name },
  { name: "access", title: "For", width: "100px", cell: (one) => (one.exposed ? [one.access, ...one.roles, ...one.scopes].join(" ") : "inside only") },
];

/** @param {any} one */
const idOf = (one) => `${one.service}.${one.name}`;

export default function Api() {
  const { data, error } = useQuery("/api/explorer", {}, { on: "resources" });
  const all = data?.items ?? [];
  const needle = param("find").toLowerCase();
  const items = all.filter((/** @type {any} */ one) => (!param("of") || one.service === param("of")) && `${one.method} ${one.path} ${one.name} ${one.summary}`.toLowerCase().includes(needle));
  const open = all.find((/** @type {any} */ one) => idOf(one) === param("operation"));
  const services = [...new Set(all.map((/** @type {any} */ one) => one.service))];
  return html`<div class="page">
    <div class="title"><h1>API</h1>${data?.url && html`<span class="mono note">${data.url}</span>`}</div>
    ${data && html`<${Stopped} live=${data.live} />`}
    <${Trouble} error=${error} />
    <div class="bar"><${Text} name="find" label="Find" hint="path, operation" search=${true} /><${Choice} name="of" label="Service"
      options=${services} /></div>
    ${data && all.length === 0
      ? html`<${Empty} title="No operation is declared" command="shoal describe">A service serves what its contract declares, or @service.get and its like.<//>`
      : html`<div class="columns">
        <${Table} label="Operations" rows=${items} columns=${COLUMNS} id=${idOf} chosen=${param("operation")}
          onChoose=${(/** @type {any} */ one) => setParams({ operation: idOf(one) })} />
        ${open && html`<${Operation} key=${idOf(open)} one=${open} live=${data.live} />`}
      </div>`}
  </div>`;
}

/** @param {{one: any, live: boolean}} given */
function Operation({ one, live }) {
  const first = useMemo(() => example(one.body), []);
  const [values, setValues] = useState(/** @type {Record<string, string>} */ ({}));
  const [body, setBody] = useState(/** @type {any} */ (first));
  const [answers, setAnswers] = useState(/** @type {any[]} */ ([]));
  const [code, setCode] = useState(/** @type {any} */ (null));
  const { busy, error, send } = useAction();
  const subject = param("as", one.access === "principal" ? "customer-1" : "");
  const roles = param("roles", one.roles.join(" "));
  const caller = one.exposed ? param("from") : param("from", one.callers[0] ?? "");
  const wish = () => ({
    service: one.service, operation: one.name, values, ...(one.body ? { body } : {}), subject, roles: roles.split(/[\s,]+/).filter(Boolean), caller,
  });
  const call = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = await send("/api/explorer/call", wish());
    if (answer) setAnswers([{ ...answer, at: Date.now() }, ...answers].slice(0, 10));
    setCode(null);
  };
  const write = async () => setCode(await send("/api/explorer/code", { ...wish(), status: answers[0]?.status ?? 200 }));
  useEffect(() => setCode(null), [values, body, subject, roles, caller]);
  return html`<aside class="panel wide-details" aria-label=${idOf(one)}>
    <div class="title"><h2>${one.method} ${one.path}</h2><span class="spring"></span><button type="button" class="plain" aria-label="Close"
      onClick=${() => setParams({ operation: "" })}>×</button></div>
    ${one.summary && html`<p>${one.summary}</p>`}
    <p class="note"><a href=${link(`service/${one.service}`)}>${one.service}</a> · ${one.name} · <${Place} at=${one.source} /></p><${Source} />
    <form class="stack" onSubmit=${call}>
      ${one.parameters.map((/** @type {any} */ parameter) => html`<label key=${parameter.name} class="field row-field">
        <span>${parameter.name}${parameter.required && html`<abbr title="needed">*</abbr>`}</span>
        <${Value} parameter=${parameter} value=${values[parameter.name] ?? ""}
          onChange=${(/** @type {string} */ text) => setValues(without(values, parameter.name, text))} />
            <small class="note">${[parameter.place, hintOf(resolved(parameter.schema, {}))].filter(Boolean).join(" · ")}</small></label>`)}
      ${one.body && html`<${SchemaForm} form=${one.body} value=${body} onChange=${setBody} label="Body" />`}
      <fieldset><legend>Sent</legend>
        <label class="field row-field"><span>as</span><input type="text" value=${subject} placeholder="nobody"
          onChange=${(/** @type {any} */ e) => setParams({ as: e.target.value }, { replace: true })} />
          <small class="note">a test user, signed in with the key of this project</small></label>
        <label class="field row-field"><span>with roles</span><input type="text" value=${roles}
          onChange=${(/** @type {any} */ e) => setParams({ roles: e.target.value }, { replace: true })} /></label>
        <label class="field row-field"><span>from</span><select value=${caller}
          onChange=${(/** @type {any} */ e) => setParams({ from: e.target.value }, { replace: true })}>
          ${one.exposed && html`<option value="">outside, through the gateway</option>`}${one.callers.map((/** @type {string} */ name) => html`<option
            key=${name} value=${name}>inside, as ${name}</option>`)}</select></label>
      </fieldset>
      <div class="bar"><button type="submit" class="primary" disabled=${busy || !live}>Send</button><button type="button" disabled=${busy}
        onClick=${write}>As code</button></div>
    </form>
    <${Trouble} error=${error} />
    ${code && html`<${Code} code=${code} one=${one} />`}
    <div class="stack" role="status">${answers.map((/** @type {any} */ answer, /** @type {number} */ n) => html`<${Answer} key=${answer.at}
      answer=${answer} open=${n === 0} />`)}</div>
  </aside>`;
}

/** A parameter, by what its schema says it is; all are sent as text. @param {any} given */
function Value({ parameter, value, onChange }) {
  const schema = resolved(parameter.schema, {});
  const type = Array.isArray(schema.type) ? schema.type.find((/** @type {string} */ one) => one !== "null") : schema.type;
  const words = schema.enum ?? (type === "boolean" ? ["true", "false"] : null);
  const told = { required: parameter.required, value, onInput: (/** @type {any} */ e) => onChange(e.target.value) };
  if (words) return html`<select ...${told}><option value=""></option>${words.map((/** @type {any} */ one) => html`<option key=${one}
    value=${one}>${one}</option>`)}</select>`;
  if (type === "integer" || type === "number") return html`<input type="number" step=${type === "integer" ? 1 : "any"}
    min=${schema.minimum} max=${schema.maximum} ...${told} />`;
  return html`<input type=${schema.format === "date" ? "date" : "text"} maxlength=${schema.maxLength} spellcheck="false" autocomplete="off" ...${told} />`;
}

/** @param {Record<string, string>} values @param {string} name @param {string} value */
function without(values, name, value) {
  const { [name]: _, ...others } = values;
  return value === "" ? others : { ...others, [name]: value };
}

/** @param {{answer: any, open: boolean}} given */
function Answer({ answer, open }) {
  return html`<details class="panel" open=${open}><summary><${Badge}
    kind=${answer.status >= REFUSED ? "bad" : "good"}>${answer.status} ${answer.reason}<//> ${duration(answer.ms)}, ${bytes(answer.bytes)}${answer.cut ? ", cut" : ""}</summary>
    ${answer.trace_id && html`<p><a href=${link(`traces/${answer.trace_id}`)}>Trace ${answer.trace_id.slice(0, 8)}</a> · <a
      href=${link("logs", { trace_id: answer.trace_id })}>Logs</a></p>
      <${Glance} id=${answer.trace_id} />`}
    <pre class="scroll">${answer.data !== null ? JSON.stringify(answer.data, null, 2) : answer.text || "no body"}</pre>
    <details><summary>Headers</summary><pre>${Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`).join("\n")}</pre>
      </details>
  </details>`;
}

/** The trace under an answer: who did what, as bars. @param {{id: string}} given */
function Glance({ id }) {
  const { data: there } = useQuery("/api/traces", { text: id, limit: 1 }, { every: 1000 });
  const { data } = useQuery(there?.items.length ? `/api/traces/${id}` : null, {}, { every: 1500 });
  const spans = (data?.spans ?? []).slice(0, 40);
  if (!spans.length) return html`<p class="note">The trace is on its way.</p>`;
  const begin = Math.min(...spans.map((/** @type {any} */ one) => one.started)), whole = Math.max(1, data.ms);
  return html`<ol class="delivery" aria-label="Trace">${spans.map((/** @type {any} */ one) => html`<li key=${one.span_id}
    class=${one.status === "error" ? "bad-text" : ""}>
    <span>${one.service}</span><span>${one.name}</span><span class="note">${duration(one.ms)}</span>
    <i aria-hidden="true"
      style=${{ marginLeft: `${Math.min(99, (100 * (one.started - begin)) / whole)}%`, width: `${Math.max(0.7, Math.min(100, (100 * one.ms) / whole))}%` }}>
      </i></li>`)}</ol>`;
}

/** @param {{code: any, one: any}} given */
function Code({ code, one }) {
  return html`<section class="panel stack"><h3>As a test</h3><pre class="scroll">${code.pytest}</pre>
    <div class="bar"><${Copy} text=${code.pytest} what="Test">Copy<//><button type="button"
      onClick=${() => save(`test_${one.service}_${one.name}.py`, code.pytest, "text/x-python")}>Save</button></div>
    <h3>As a command</h3><pre class="scroll">${code.curl}</pre><div class="bar"><${Copy} text=${code.curl} what="Command">Copy<//></div>
      </section>`;
}
