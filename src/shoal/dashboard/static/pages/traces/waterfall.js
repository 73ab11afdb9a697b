// Spans under each other, each where it was in time. Rows are those of a table: only what is seen is drawn.
import { html, useRef, useState } from "../../shell/ui.js";
import { param, params, setParams } from "../../shell/place.js";
import { clock, duration, hue, number } from "../../shell/format.js";
import { Table } from "../../parts/table.js";
import { attempt, waited } from "./tree.js";

/** @param {{tree: import("./tree.js").Tree, rows: import("./tree.js").Row[], logs: Map<string, any[]>}} given */
export function Waterfall({ tree, rows, logs }) {
  const from = tree.begin + (Number(param("from")) || 0);
  const to = Math.max(param("to") ? tree.begin + Number(param("to")) : tree.end, from + 0.001);
  const place = (/** @type {number} */ at) => ((at - from) / (to - from)) * 100;
  const wanted = param("mark").toLowerCase();
  const onlyCritical = param("critical") === "1";
  const shown = onlyCritical ? rows.filter((row) => row.kind !== "log" && (row.node.critical.length > 0 || row.kind === "group")) : rows;

  /** @type {import("../../parts/table.js").Column[]} */
  const columns = [
    { name: "name", title: "Span", width: "minmax(16rem, 1.1fr)", cell: (row) => html`<${Name} row=${row} />` },
    { name: "took", title: "Took", width: "78px", align: "end", cell: (row) => (row.kind === "log" ? clock(row.log.at).slice(0, 12) : duration(took(row))) },
    { name: "bar", title: html`<${Ruler} from=${from} to=${to} begin=${tree.begin} />`, width: "minmax(0, 2fr)", cell: (row) => html`<${Bar} row=${row} place=${place} logs=${logs} />` },
  ];
  const tone = (/** @type {any} */ row) => [
    row.kind === "log" ? "log" : row.node.span.status === "error" ? "bad" : "",
    row.kind === "span" && row.node.span.kind === "consumer" ? "crossing" : "",
    wanted ? (matches(row, wanted) ? "marked" : "dim") : "",
  ].join(" ");
  return html`<${Table} label="Spans" rows=${shown} columns=${columns} id=${(/** @type {any} */ row) => row.id} tone=${tone} chosen=${param("span")}
    onChoose=${(/** @type {any} */ row) => (row.kind === "group" ? turn("unfold", row.id) : setParams({ span: row.node.span.span_id }))}
    onKey=${(/** @type {any} */ row, /** @type {string} */ key) => fold(row, key)} />`;
}

/** @param {any} row */
function took(row) {
  return row.group ? row.group.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.span.ms, 0) : row.node.span.ms;
}

/** @param {any} row @param {string} wanted */
function matches(row, wanted) {
  if (row.kind === "log") return row.log.message.toLowerCase().includes(wanted);
  const { span } = row.node;
  const [key, value] = wanted.split("=", 2);
  if (value !== undefined) return Object.entries(span.attributes).some(([name, one]) => name.toLowerCase() === key.trim() && String(one).toLowerCase().includes(value.trim()));
  return `${span.service} ${span.name} ${Object.values(span.attributes).join(" ")}`.toLowerCase().includes(wanted);
}

/** @param {any} row @param {string} key */
function fold(row, key) {
  if (key !== "ArrowLeft" && key !== "ArrowRight") return false;
  if (row.kind === "group") set("unfold", row.id, key === "ArrowRight");
  else if (row.kind === "span" && row.node.children.length) set("fold", row.id, key === "ArrowLeft");
  return true;
}

/** @param {string} name @param {string} id @param {boolean} on */
function set(name, id, on) {
  const rest = params(name).filter((one) => one !== id);
  setParams({ [name]: on ? [...rest, id] : rest }, { replace: true });
}

/** @param {string} name @param {string} id */
function turn(name, id) {
  set(name, id, !params(name).includes(id));
}

/** @param {{row: any}} given */
function Name({ row }) {
  const { node, group } = row;
  const { span } = node;
  const indent = { paddingLeft: `${Math.min(row.depth, 24) * 12}px` };
  if (row.kind === "log")
    return html`<span class="name" style=${indent}><span class="level ${row.log.level}">${row.log.level}</span> ${row.log.message}</span>`;
  const name = row.kind === "group" ? "unfold" : "fold";
  const closed = row.kind === "group" ? !params("unfold").includes(row.id) : params("fold").includes(row.id);
  const foldable = row.kind === "group" || node.children.length > 0;
  const again = attempt(span);
  return html`<span class="name" style=${indent}>
    ${foldable ? html`<button type="button" class="plain fold" tabindex="-1" aria-expanded=${!closed} aria-label=${closed ? "Unfold" : "Fold"}
        onClick=${() => turn(name, row.id)}>${closed ? "▸" : "▾"}</button>` : html`<span class="fold"></span>`}
    <i class="chip" style=${{ background: hue(span.service) }} aria-hidden="true"></i>
    <span class="muted">${span.service}</span>
    ${group ? html` <b>${number(group.length)} ×</b> ${span.name}` : html` ${mark(span)}${span.name}`}
    ${again > 1 && html` <span class="badge warn">attempt ${again}</span>`}
    ${node.repeated > 0 && html` <span class="badge warn">N+1 × ${node.repeated}</span>`}
    ${node.open && html` <span class="badge warn">open</span>`}
    ${span.status === "error" && !group && html` <span class="bad-text">${span.attributes["error.type"] ?? "error"}</span>`}
  </span>`;
}

/** A sign for spans that an event carried from one service to another. @param {any} span */
function mark(span) {
  return span.kind === "consumer" ? "⇢ " : span.kind === "producer" ? "⇠ " : "";
}

/** @param {{row: any, place: (at: number) => number, logs: Map<string, any[]>}} given */
function Bar({ row, place, logs }) {
  const { node, group } = row;
  if (row.kind === "log") return html`<div class="lane"><i class="tick ${row.log.level}" style=${{ left: `${place(row.log.at)}%` }}></i></div>`;
  const parts = (group ?? [node]).slice(0, 60);
  const { span } = node;
  const wait = group ? null : waited(span);
  return html`<div class="lane">
    ${wait && html`<i class="wait" title=${`waited ${duration(wait.ms)} ${wait.what}`}
      style=${{ left: `${place(span.started - wait.ms)}%`, width: `${place(span.started) - place(span.started - wait.ms)}%` }}></i>`}
    ${parts.map((/** @type {any} */ one) => html`<i key=${one.span.span_id} class="bar ${one.open ? "open" : ""} ${one.span.status === "error" ? "failed" : ""}"
      style=${{ left: `${place(one.span.started)}%`, width: `${Math.max(0, place(one.span.started + one.span.ms) - place(one.span.started))}%`, background: hue(one.span.service) }}></i>`)}
    ${parts.map((/** @type {any} */ one) => one.critical.map((/** @type {[number, number]} */ [from, to]) => html`<i class="critical"
      style=${{ left: `${place(from)}%`, width: `${place(to) - place(from)}%` }}></i>`))}
    ${!group && span.events.map((/** @type {any} */ event, /** @type {number} */ n) => html`<i key=${n} class="event" title=${`${event.name} ${duration(event.at - span.started)} after its beginning`}
      style=${{ left: `${place(event.at)}%` }}></i>`)}
    ${!group && (logs.get(span.span_id) ?? []).map((/** @type {any} */ log) => html`<i key=${log.id} class="tick ${log.level}" title=${log.message} style=${{ left: `${place(log.at)}%` }}></i>`)}
  </div>`;
}

/** Marks of time; dragging over them looks closer. @param {{from: number, to: number, begin: number}} given */
function Ruler({ from, to, begin }) {
  const lane = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [drag, setDrag] = useState(/** @type {[number, number] | null} */ (null));
  const share = (/** @type {PointerEvent} */ event) => {
    const { left, width } = /** @type {HTMLDivElement} */ (lane.current).getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - left) / width));
  };
  const end = () => {
    if (drag && Math.abs(drag[1] - drag[0]) > 0.005) {
      const [low, high] = drag[0] < drag[1] ? drag : [drag[1], drag[0]];
      const at = (/** @type {number} */ part) => (from + part * (to - from) - begin).toFixed(3);
      setParams({ from: at(low), to: at(high) });
    }
    setDrag(null);
  };
  return html`<div class="lane ruler" ref=${lane} title="Drag to look closer"
      onPointerDown=${(/** @type {PointerEvent} */ e) => (/** @type {Element} */ (e.currentTarget).setPointerCapture(e.pointerId), setDrag([share(e), share(e)]))}
      onPointerMove=${(/** @type {PointerEvent} */ e) => drag && setDrag([drag[0], share(e)])} onPointerUp=${end} onPointerCancel=${() => setDrag(null)}>
    ${[0, 0.25, 0.5, 0.75].map((part) => html`<span key=${part} style=${{ left: `${part * 100}%` }}>${duration(from - begin + part * (to - from))}</span>`)}
    <span class="last">${duration(to - begin)}</span>
    ${drag && html`<i class="drag" style=${{ left: `${Math.min(...drag) * 100}%`, width: `${Math.abs(drag[1] - drag[0]) * 100}%` }}></i>`}
  </div>`;
}
