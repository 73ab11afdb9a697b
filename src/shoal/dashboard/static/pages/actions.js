// Who did what to the running system, from the pages and from the command line, and what became of it.
import { html } from "../shell/ui.js";
import { param } from "../shell/place.js";
import { usePages } from "../shell/pages.js";
import { duration, moment } from "../shell/format.js";
import { Text, Toggle } from "../parts/fields.js";
import { Badge, Empty, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";

/** @type {Record<string, string>} */
const KINDS = { done: "good", refused: "warn", failed: "bad" };

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "at", title: "When", width: "150px", cell: (one) => moment(one.at) },
  { name: "who", title: "Who", width: "110px", cell: (one) => one.who },
  { name: "by", title: "By", width: "70px", tip: "the pages, or the command line", cell: (one) => one.by },
  { name: "does", title: "Did", width: "150px", cell: (one) => one.does },
  { name: "on", title: "To what", width: "minmax(10rem, 1fr)", cell: (one) => html`<span class="mono" title=${one.on}>${one.on}</span>` },
  { name: "outcome", title: "Outcome", width: "100px", cell: (one) => html`<${Badge} kind=${KINDS[one.outcome]}>${one.outcome}<//>` },
  { name: "error", title: "Because", width: "minmax(10rem, 1.4fr)", cell: (one) => html`<span title=${one.error}>${one.error}</span>` },
  { name: "ms", title: "Took", width: "90px", align: "end", cell: (one) => duration(one.ms) },
];

export default function Actions() {
  const { items, error, loading, ready, more } = usePages("/api/actions", { text: param("find"), bad: param("bad") ? "true" : "" }, {
    id: (one) => `${one.at} ${one.does} ${one.on}`, at: (one) => one.at, limit: 200, on: "action",
  });
  return html`<div class="page">
    <div class="title"><h1>Actions</h1><span class="note">what people did to this run, latest first</span></div>
    <div class="bar">
      <${Text} name="find" label="Find" hint="who, what, on what" search=${true} />
      <${Toggle} name="bad" label="refused or failed" />
    </div>
    <${Trouble} error=${error} />
    ${ready && !loading && items.length === 0
      ? html`<${Empty} title="Nobody did anything" command="shoal fault add orders:payments --abort 503">What pages and commands do to the running system is noted here.<//>`
      : html`<${Table} label="Actions" rows=${items} columns=${COLUMNS} onEnd=${more} id=${(/** @type {any} */ one) => `${one.at} ${one.does} ${one.on}`}
          tone=${(/** @type {any} */ one) => (one.outcome === "done" ? "" : KINDS[one.outcome])} />`}
  </div>`;
}
