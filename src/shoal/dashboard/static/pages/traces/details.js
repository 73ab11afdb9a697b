// What is known of one span.
import { html } from "../../shell/ui.js";
import { link, setParams } from "../../shell/place.js";
import { clock, duration } from "../../shell/format.js";
import { Attributes } from "../../parts/attributes.js";
import { Code, Place } from "../../parts/code.js";
import { Copy } from "../../parts/copy.js";
import { Badge, Service } from "../../parts/states.js";
import { waited } from "./tree.js";

const SPECIAL = ["db.query.text", "exception.stacktrace"];

/** @param {{node: import("./tree.js").Node, logs: any[], begin: number}} given */
export function Details({ node, logs, begin }) {
  const { span } = node;
  const wait = waited(span);
  const statement = span.attributes["db.query.text"];
  const line = span.attributes["code.file.path"] && `${span.attributes["code.file.path"]}:${span.attributes["code.line.number"] ?? 1}`;
  const rest = Object.fromEntries(Object.entries(span.attributes).filter(([key]) => !SPECIAL.includes(key)));
  return html`<aside class="panel details" aria-label="Span">
    <div class="title"><h2>${span.name}</h2><span class="spring"></span>
      <button type="button" class="plain" aria-label="Close" onClick=${() => setParams({ span: "" })}>×</button></div>
    <div class="bar"><${Service} name=${span.service} /><span class="muted">${span.replica} · ${span.kind}</span>
      ${span.status === "error" && html`<${Badge} kind="bad">error<//>`}</div>
    ${span.message && html`<p class="bad-text">${span.message}</p>`}
    <dl class="facts">
      <dt>Took</dt><dd>${node.open ? "has not ended" : duration(span.ms)}${node.children.length > 0 && ` · ${duration(node.own)} of its own`}</dd>
      <dt>Began</dt><dd>${duration(span.started - begin)} after the beginning · ${clock(span.started)}</dd>
      ${wait && html`<dt>Waited</dt><dd>${duration(wait.ms)} ${wait.what}, then worked ${duration(span.ms)}</dd>`}
      ${line && html`<dt>Code</dt><dd><${Place} at=${line} /> <${Copy} text=${line} /></dd>`}
    </dl>
    ${line && html`<${Code} />`}
    ${statement && html`<section><h3>Statement ${node.repeated > 0 && html`<${Badge} kind="warn">asked ${node.repeated} times here<//>`}</h3>
      <pre class="code">${statement}</pre><${Copy} text=${statement} /></section>`}
    ${span.events.map((/** @type {any} */ event, /** @type {number} */ n) => html`<section key=${n}>
      <h3>${event.name} <span class="muted">${duration(event.at - span.started)} after its beginning</span></h3>
      ${event.attributes["exception.message"] && html`<p class="bad-text">${event.attributes["exception.type"]}: ${event.attributes["exception.message"]}</p>`}
      ${event.attributes["exception.stacktrace"] && html`<pre class="code">${event.attributes["exception.stacktrace"]}</pre>`}
      <${Attributes} values=${Object.fromEntries(Object.entries(event.attributes).filter(([key]) => !key.startsWith("exception.")))} />
    </section>`)}
    ${logs.length > 0 && html`<section><h3>Logs</h3>${logs.map((one) => html`<p key=${one.id} class="line">
      <span class="level ${one.level}">${one.level}</span> <span class="muted">${clock(one.at)}</span> ${one.message}</p>`)}</section>`}
    ${span.links.length > 0 && html`<section><h3>Links</h3>${span.links.map((/** @type {any} */ one) => html`<p key=${one.span_id}>
      <a class="mono" href=${link(`traces/${one.trace_id}`, { span: one.span_id })}>${one.trace_id.slice(0, 12)} · ${one.span_id}</a></p>`)}</section>`}
    <section><h3>Attributes</h3><${Attributes} values=${rest} seek=${true} /></section>
  </aside>`;
}
