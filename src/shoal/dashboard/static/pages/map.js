// The map: who talks to whom, as it was declared and as it was seen; and the last minutes again.
import { html, useEffect, useMemo, useRef, useState } from "../shell/ui.js";
import { get, isLive, troubleOf } from "../shell/data.js";
import { link, param, setParams } from "../shell/place.js";
import { clock, duration, number, percent } from "../shell/format.js";
import { useFresh } from "../parts/fresh.js";
import { save } from "../parts/copy.js";
import { Drawing, standalone } from "../parts/graph.js";
import { edgeOf, nodeOf, replaced, selected, told, usuallyHidden } from "../parts/mapping.js";
import { Badge, Empty, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";

const WINDOWS = /** @type {[string, string][]} */ ([["60", "last minute"], ["300", "last 5 minutes"], ["range", "the range above"]]);
const END = /** @type {"end"} */ ("end");
const PAUSE = 600;
const WORDED = 40;

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "source", title: "From", width: "minmax(8rem, 1fr)", cell: (way) => way.source },
  { name: "target", title: "To", width: "minmax(8rem, 1fr)", cell: (way) => way.target },
  { name: "kind", title: "Kind", width: "70px", cell: (way) => way.kind },
  { name: "standing", title: "Standing", width: "110px", cell: (way) => html`<${Badge}
    kind=${way.standing === "undeclared" ? "bad" : way.standing === "active" ? "good" : "idle"}>${way.standing}<//>` },
  { name: "rate", title: "A second", width: "80px", align: END, cell: (way) => number(way.rate) },
  { name: "p99", title: "p99", width: "90px", align: END, cell: (way) => (way.count ? duration(way.p99) : "–") },
  { name: "errors", title: "Errors", width: "80px", align: END, cell: (way) => (way.count ? percent(way.errors / way.count) : "–") },
  { name: "circuit", title: "Breaker", width: "100px", cell: (way) => way.circuit && html`<${Badge}
    kind=${way.circuit === "closed" ? "good" : "bad"}>${way.circuit}<//>` },
  { name: "fault", title: "Fault on purpose", width: "minmax(6rem, 1fr)", cell: (way) => way.fault },
];

export default function Map() {
  const wanted = param("window", "60");
  const fixed = param("since") !== "" || !isLive();
  const timed = wanted === "range" || fixed;
  const { data, error } = useFresh("/api/map", timed ? {} : { last: wanted }, { timed, every: 2000 });
  const replay = useReplay();
  const [looked, look] = useState("");
  const box = useRef(null);

  const hidden = param("hide") ? param("hide").split(" ") : usuallyHidden(data?.nodes ?? []);
  const frame = replay.frames[replay.at];
  const shown = useMemo(() => {
    if (!data) return null;
    return selected(data.nodes, frame ? replaced(data.edges, frame.edges) : data.edges, hidden);
  }, [data, frame, hidden.join()]);
  const open = shown?.ways.find((/** @type {any} */ way) => way.id === param("edge"));
  const lit = useMemo(() => standingOut(shown, looked), [shown, looked]);
  if (!data || !shown) return html`<div class="page"><h1>Map</h1><${Trouble} error=${error} /></div>`;
  const worded = shown.ways.filter((/** @type {any} */ way) => way.count && way.kind === "call").length <= WORDED;
  return html`<div class="page">
    <div class="title"><h1>Map</h1>
      <${Badge} kind=${data.live ? "good" : "idle"}>${data.system} ${data.live ? "runs" : "is stopped: history only"}<//>
      ${data.chain.length > 2 && html`<span class="note" title="calls that wait for one another">longest chain of calls: ${data.chain.join(" → ")}</span>`}
      <${Counts} ways=${shown.ways} />
    </div>
    <${Bar} hidden=${hidden} timed=${timed} fixed=${fixed} replay=${replay} system=${data.system} box=${box} />
    <${Trouble} error=${error ?? replay.error} />
    ${data.nodes.length <= 1
      ? html`<${Empty} title="No service is declared" command="shoal new demo">Services, their stores and events appear here.<//>`
      : html`<div class="columns">
        ${param("table") === "1"
          ? html`<${Table} label="Ways between services" rows=${shown.ways} columns=${COLUMNS} id=${(/** @type {any} */ way) => way.id}
            chosen=${param("edge")}
              tone=${(/** @type {any} */ way) => (way.standing === "undeclared" || way.circuit === "open" ? "bad" : way.errors ? "warn" : "")}
              onChoose=${(/** @type {any} */ way) => setParams({ edge: way.id })} />`
          : html`<${Drawing} label=${`Map of ${data.system}; the same as a table: press the button Table`} nodes=${shown.nodes.map(nodeOf)}
              edges=${shown.ways.map((/** @type {any} */ way) => edgeOf(way, (worded && way.kind === "call") || way.id === looked || way.id === param("edge")))}
                chosen=${param("edge")} lit=${lit} onLook=${look} box=${box}
              onEdge=${(/** @type {string} */ id) => setParams({ edge: id === param("edge") ? "" : id })} />`}
        ${open && html`<${Details} way=${open} />`}
      </div>`}
    <p class="note legend"><span class="key call"></span>call <span class="key event"></span>event <span class="key store"></span>store
      <span class="key idle"></span>declared, but idle <span class="key undeclared"></span>seen, but not declared <span class="key failing">
        </span>fails</p>
  </div>`;
}

/** @param {any} given */
function Bar({ hidden, timed, fixed, replay, system, box }) {
  const turn = (/** @type {string} */ what) => {
    const next = hidden.includes(what) ? hidden.filter((/** @type {string} */ one) => one !== what) : [...hidden, what];
    setParams({ hide: next.length ? next.join(" ") : "nothing", edge: "" });
  };
  return html`<div class="bar">
    <label class="field"><span>Numbers of</span>
      <select value=${timed ? "range" : param("window", "60")} disabled=${fixed}
        onChange=${(/** @type {any} */ e) => setParams({ window: e.target.value === "60" ? "" : e.target.value })}>
        ${WINDOWS.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select></label>
    ${["topics", "stores", "idle"].map((what) => html`<label key=${what} class="field toggle"><input type="checkbox"
      checked=${!hidden.includes(what)} onChange=${() => turn(what)} />
      <span>${what === "idle" ? "idle ways" : what}</span></label>`)}
    <button type="button" aria-pressed=${param("table") === "1"}
      onClick=${() => setParams({ table: param("table") === "1" ? "" : "1" })}>Table</button>
    <span class="spring"></span>
    <${Replay} replay=${replay} />
    <a class="button" download=${`${system}.mmd`} href="/api/map/mermaid">Mermaid</a>
    <button type="button" disabled=${param("table") === "1"}
      onClick=${() => box.current && save(`${system}.svg`, standalone(box.current), "image/svg+xml")}>SVG</button>
  </div>`;
}

/** @param {{ways: any[]}} given */
function Counts({ ways }) {
  const odd = ways.filter((way) => way.standing === "undeclared").length, opened = ways.filter((way) => way.circuit === "open").length;
  const faults = ways.filter((way) => way.fault).length;
  return html`${odd > 0 && html`<${Badge} kind="bad">${odd} not declared<//>`}
    ${opened > 0 && html`<${Badge} kind="bad">${opened} breaker${opened > 1 ? "s" : ""} open<//>`}
    ${faults > 0 && html`<a href=${link("gateway", { part: "faults" })}>
      <${Badge} kind="warn">${faults} fault${faults > 1 ? "s" : ""} on purpose<//></a>`}`;
}

/** @param {{way: any}} given */
function Details({ way }) {
  const service = way.kind === "event" ? [] : [way.source, way.target].filter((name) => !name.includes("/") && name !== "gateway");
  return html`<aside class="panel details" aria-label=${`${way.source} to ${way.target}`}>
    <div class="title"><h2>${way.source} → ${way.target}</h2><span class="spring"></span>
      <button type="button" class="plain" aria-label="Close" onClick=${() => setParams({ edge: "" })}>×</button></div>
    <p class="visually-hidden">${told(way)}</p>
    <dl class="facts">
      <dt>Standing</dt><dd>${way.standing === "undeclared" ? html`<span class="bad-text">seen, but nobody declared it</span>` : way.standing === "idle" ? "declared, but idle" : "declared and seen"}</dd>
      <dt>Rate</dt><dd>${number(way.rate)} a second (${number(way.count)} in all)</dd>
      <dt>Errors</dt><dd class=${way.errors ? "bad-text" : ""}>${way.count ? `${percent(way.errors / way.count)} (${number(way.errors)})` : "–"}</dd>
      <dt>p50, p99</dt><dd>${way.count ? `${duration(way.p50)}, ${duration(way.p99)}` : "–"}</dd>
      ${way.circuit && html`<dt>Breaker</dt><dd><${Badge} kind=${way.circuit === "closed" ? "good" : "bad"}>${way.circuit}<//></dd>`}
      ${way.fault && html`<dt>Fault</dt><dd class="warn-text">${way.fault}</dd>`}
      <dt>What</dt><dd>${way.names.join(", ") || "–"}</dd>
      ${way.where && html`<dt>Declared</dt><dd class="mono">${way.where}</dd>`}
    </dl>
    <div class="bar">
      <a href=${link("traces", { service })}>Traces</a>
      ${way.errors > 0 && html`<a href=${link("traces", { service, errors: "true" })}>Failed traces</a>`}
      ${way.kind === "call" && html`<a href=${link("gateway", { part: "faults", way: `${way.source}:${way.target}` })}>Inject a fault</a>`}
      ${way.kind === "event" && html`<a href=${link("events", { event: way.target.includes(".v") ? way.target : way.source })}>Event</a>`}
    </div>
  </aside>`;
}

// -- the last minutes again

/** @returns {any} */
function useReplay() {
  const [frames, setFrames] = useState(/** @type {any[]} */ ([]));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [playing, play] = useState(false);
  const at = Math.min(Number(param("frame", "0")), Math.max(0, frames.length - 1));
  const on = param("replay") !== "";
  useEffect(() => {
    if (!on) return void setFrames([]);
    const until = Number(param("replay")) || 0;
    get("/api/map/replay", { until: until > 1 ? until : undefined }).then(({ frames }) => setFrames(frames), (trouble) => setError(troubleOf(trouble)));
    return undefined;
  }, [on]);
  useEffect(() => {
    if (!playing || frames.length === 0) return undefined;
    if (at >= frames.length - 1) return void play(false);
    const timer = setTimeout(() => setParams({ frame: at + 1 }, { replace: true }), PAUSE);
    return () => clearTimeout(timer);
  }, [playing, at, frames.length]);
  const begin = () => {
    setParams({ replay: Date.now(), frame: "" });
    play(true);
  };
  const end = () => {
    play(false);
    setParams({ replay: "", frame: "" });
  };
  return { on, frames, at, error, playing, play, begin, end };
}

/** @param {{replay: any}} given */
function Replay({ replay }) {
  const { on, frames, at, playing, play, begin, end } = replay;
  if (!on) return html`<button type="button" onClick=${begin}>Replay 5 minutes</button>`;
  const frame = frames[at];
  return html`<span class="field" role="group" aria-label="Replay">
    <button type="button" aria-label=${playing ? "Pause" : "Play"} onClick=${() => play(!playing)}>${playing ? "❚❚" : "▶"}</button>
    <input type="range" aria-label="Moment" min="0" max=${Math.max(0, frames.length - 1)} value=${at}
      onInput=${(/** @type {any} */ e) => (play(false), setParams({ frame: e.target.value }, { replace: true }))} />
    <span class="mono" role="status">${frame ? clock(frame.since).slice(0, 8) : "…"}</span>
    <button type="button" onClick=${end}>End replay</button></span>`;
}

/** What stands out when something is pointed at: a service with all that it talks to and the chain of calls below it. @param {any} shown @param {string} looked */
function standingOut(shown, looked) {
  if (!shown || !looked) return null;
  const way = shown.ways.find((/** @type {any} */ one) => one.id === looked);
  if (way) return new Set([way.id, way.source, way.target]);
  const node = shown.nodes.find((/** @type {any} */ one) => one.id === looked);
  const chain = new Set(node?.chain ?? []);
  const lit = new Set([looked, ...chain]);
  for (const one of shown.ways) {
    const below = one.kind === "call" && chain.has(one.source) && chain.has(one.target);
    if (one.source === looked || one.target === looked || below) [one.id, one.source, one.target].forEach((id) => lit.add(id));
  }
  return lit;
}
