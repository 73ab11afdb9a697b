// Traces: all of them, one, or two beside each other.
import { html } from "../shell/ui.js";
import { param, place } from "../shell/place.js";
import { Diff } from "./traces/diff.js";
import { List } from "./traces/list.js";
import { Trace } from "./traces/trace.js";

export default function Traces() {
  const [id] = place.value.rest;
  if (!id) return html`<${List} />`;
  const against = param("against");
  return against ? html`<${Diff} key=${`${id} ${against}`} one=${id} other=${against} />` : html`<${Trace} key=${id} id=${id} />`;
}
