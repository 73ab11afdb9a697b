// The recorded runs.
import { html } from "../shell/ui.js";
import { useQuery } from "../shell/data.js";
import { link } from "../shell/place.js";
import { bytes, duration, moment, number } from "../shell/format.js";
import { Badge, Empty, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";

const COLUMNS = [
  { name: "number", title: "Run", width: "70px", cell: (/** @type {any} */ run) => `#${run.number}` },
  { name: "system", title: "System", width: "1fr", cell: (/** @type {any} */ run) => run.system },
  { name: "started", title: "Started", width: "160px", cell: (/** @type {any} */ run) => moment(run.started) },
  {
    name: "length", title: "Length", width: "110px", align: /** @type {"end"} */ ("end"),
    cell: (/** @type {any} */ run) => duration((run.live ? Date.now() : run.ended) - run.started),
  },
  { name: "spans", title: "Spans", width: "90px", align: /** @type {"end"} */ ("end"), cell: (/** @type {any} */ run) => number(run.spans) },
  { name: "logs", title: "Logs", width: "90px", align: /** @type {"end"} */ ("end"), cell: (/** @type {any} */ run) => number(run.logs) },
  {
    name: "errors", title: "Errors", width: "90px", align: /** @type {"end"} */ ("end"),
    cell: (/** @type {any} */ run) => html`<span class=${run.errors ? "bad-text" : ""}>${number(run.errors)}</span>`,
  },
  { name: "size", title: "Size", width: "90px", align: /** @type {"end"} */ ("end"), cell: (/** @type {any} */ run) => bytes(run.size_bytes) },
  { name: "live", title: "", width: "90px", cell: (/** @type {any} */ run) => (run.live ? html`<${Badge} kind="good">live<//>` : "") },
];

export default function Runs() {
  const { data, error } = useQuery("/api/runs", {}, { on: "runs" });
  const items = data?.items ?? [];
  return html`<div class="page">
    <div class="title"><h1>Runs</h1><span class="note">what was recorded stays after the system has stopped</span></div>
    <${Trouble} error=${error} />
    ${data && items.length === 0
      ? html`<${Empty} title="No run is recorded yet" command="shoal run">Every run is recorded as long as it lasts.<//>`
      : html`<${Table} label="Runs" rows=${items} columns=${COLUMNS} id=${(/** @type {any} */ run) => String(run.number)}
          href=${(/** @type {any} */ run) => link("traces", { run: run.live ? "" : run.number, since: "", until: "" })} />`}
  </div>`;
}
