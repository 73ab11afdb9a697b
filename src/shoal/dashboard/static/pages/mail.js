// Mails that the stand-in for a mail server received; none of them has left this machine.
import { html } from "../shell/ui.js";
import { param, setParams } from "../shell/place.js";
import { ago, moment, plural } from "../shell/format.js";
import { useFresh } from "../parts/fresh.js";
import { Text } from "../parts/fields.js";
import { Empty, Trouble } from "../parts/states.js";
import { Table } from "../parts/table.js";

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "to", title: "To", width: "minmax(10rem, 1fr)", cell: (mail) => mail.to.join(", ") },
  { name: "subject", title: "Subject", width: "minmax(10rem, 2fr)", cell: (mail) => mail.subject || "(no subject)" },
  { name: "from", title: "From", width: "minmax(8rem, 1fr)", cell: (mail) => mail.from },
  { name: "at", title: "Received", width: "110px", cell: (mail) => ago(mail.received_at) },
  { name: "deliveries", title: "Delivered", width: "80px", align: /** @type {"end"} */ ("end"), cell: (mail) => (mail.deliveries > 1 ? `${mail.deliveries} times` : "once") },
];

export default function Mail() {
  const { data, error } = useFresh("/api/mail", { find: param("find") }, { every: 2000 });
  const items = data?.items ?? [];
  const open = items.find((/** @type {any} */ one) => String(one.id) === param("mail"));
  return html`<div class="page">
    <div class="title"><h1>Mail</h1>${data && html`<span class="note">${plural(data.total, "mail")}; none of them left this machine</span>`}</div>
    <div class="bar"><${Text} name="find" label="Find" hint="address, subject, words" search=${true} /></div>
    <${Trouble} error=${error} />
    ${data && items.length === 0
      ? html`<${Empty} title=${data.total ? "No such mail" : "No mail yet"}
        command=${data.live ? "" : "shoal run"}>What services send by SMTP is caught and shown here.<//>`
      : html`<div class="columns">
        <${Table} label="Mails" rows=${items} columns=${COLUMNS} id=${(/** @type {any} */ one) => String(one.id)} chosen=${param("mail")}
          onChoose=${(/** @type {any} */ one) => setParams({ mail: one.id })} />
        ${open && html`<aside class="panel wide-details" aria-label=${open.subject}>
          <div class="title"><h2>${open.subject || "(no subject)"}</h2><span class="spring"></span>
            <button type="button" class="plain" aria-label="Close" onClick=${() => setParams({ mail: "" })}>×</button></div>
          <dl class="facts"><dt>From</dt><dd>${open.from}</dd><dt>To</dt><dd>${open.to.join(", ")}</dd><dt>Received</dt>
            <dd>${moment(open.received_at)}</dd><dt>Message</dt><dd class="mono">${open.message_id}</dd></dl>
          <pre>${open.body}</pre></aside>`}
      </div>`}
  </div>`;
}
