// What somebody should hear of: promises that burn, errors that are new, traffic off its usual band.
import { html } from "../shell/ui.js";
import { useQuery } from "../shell/data.js";
import { link, param } from "../shell/place.js";
import { duration, moment } from "../shell/format.js";
import { Choice, Text, Toggle } from "../parts/fields.js";
import { Badge, Empty, Service, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";

/** @type {Record<string, string>} */
const KINDS = { page: "bad", ticket: "warn", note: "idle" };

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "severity", title: "Severity", width: "90px", cell: (one) => html`<${Badge} kind=${one.until === null ? KINDS[one.severity] : "idle"}>${one.severity}<//>` },
  { name: "service", title: "Service", width: "130px", cell: (one) => html`<${Service} name=${one.service} />` },
  { name: "rule", title: "Rule", width: "80px", cell: (one) => one.rule },
  { name: "text", title: "What", width: "minmax(14rem, 1fr)", cell: (one) => html`<span title=${one.text}>${one.text}</span>` },
  { name: "since", title: "Since", width: "150px", cell: (one) => moment(one.since) },
  { name: "lasted", title: "Lasted", width: "100px", align: "end", cell: (one) => (one.until === null ? "goes on" : duration(one.until - one.since)) },
  { name: "traces", title: "", width: "70px", cell: (one) => html`<a href=${traces(one)}>Traces</a>` },
];

/** The traces that a notice is about; its words are those of the list of traces. @param {any} one */
function traces(one) {
  const { service, errors, ...rest } = one.traces;
  return link("traces", { ...rest, service: [service ?? one.service], errors: errors ? "1" : "" });
}

export default function Notices() {
  const { data, error } = useQuery("/api/notices", { rule: param("rule"), going: param("going") ? "true" : "" }, { on: "notice" });
  const wanted = param("find").toLowerCase();
  const items = (data?.items ?? []).filter((/** @type {any} */ one) => `${one.service} ${one.text}`.toLowerCase().includes(wanted));
  return html`<div class="page">
    <div class="title"><h1>Notices</h1><span class="note">found by rules over what is recorded</span></div>
    <div class="bar">
      <${Text} name="find" label="Find" hint="service, words" search=${true} />
      <${Choice} name="rule" label="Rule" options=${[["budget", "budgets that burn"], ["error", "errors that are new"], ["traffic", "unusual traffic"]]} />
      <${Toggle} name="going" label="that go on" />
    </div>
    <${Trouble} error=${error} />
    ${data && items.length === 0
      ? html`<${Empty} title="Nothing to hear of" command="shoal objectives">Promises are declared beside endpoints; errors and traffic are watched by themselves.<//>`
      : html`<${Table} label="Notices" rows=${items} columns=${COLUMNS} id=${(/** @type {any} */ one) => one.id}
          tone=${(/** @type {any} */ one) => (one.until === null ? KINDS[one.severity] : "")} href=${traces} />`}
  </div>`;
}
