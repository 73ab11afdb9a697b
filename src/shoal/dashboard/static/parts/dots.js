// Requests as dots over time, higher the longer they took: each is a link to its trace.
import { html } from "../shell/ui.js";
import { runs, useQuery } from "../shell/data.js";
import { go, link } from "../shell/place.js";
import { clock, duration } from "../shell/format.js";

const WIDTH = 420, HEIGHT = 140, PAD = 44, MOST = 200;

/** @param {{service: string}} given */
export function Dots({ service }) {
  const { data } = useQuery(runs.value.length ? "/api/traces" : null, { service: [service], limit: MOST }, { timed: true, every: 5000 });
  const items = data?.items ?? [];
  if (!items.length) return html`<p class="note">no traces in this time</p>`;
  const times = items.map((/** @type {any} */ one) => one.started), [from, to] = [Math.min(...times), Math.max(...times)];
  const logs = items.map((/** @type {any} */ one) => Math.log10(Math.max(0.1, one.ms))), [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs) + 0.01)];
  const x = (/** @type {number} */ at) => PAD + ((at - from) / Math.max(1, to - from)) * (WIDTH - PAD - 10);
  const y = (/** @type {number} */ ms) => HEIGHT - 14 - ((Math.log10(Math.max(0.1, ms)) - low) / Math.max(1, high - low)) * (HEIGHT - 28);
  const marks = Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n));
  return html`<svg class="dots" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="group" aria-label=${`${items.length} requests to ${service}`}>
    ${marks.map((ms) => html`<g key=${ms}><line x1=${PAD} x2=${WIDTH} y1=${y(ms)} y2=${y(ms)} /><text x=${PAD - 4}
      y=${y(ms) + 3}>${duration(ms)}</text></g>`)}
    ${items.map((/** @type {any} */ one) => {
      const target = link(`traces/${one.trace_id}`), said = `${one.name}, ${duration(one.ms)}, ${clock(one.started)}${one.errors ? ", failed" : ""}`;
      return html`<a key=${one.trace_id} href=${target} aria-label=${said}
        onClick=${(/** @type {MouseEvent} */ event) => (event.preventDefault(), go(target))}>
        <title>${said}</title><circle cx=${x(one.started)} cy=${y(one.ms)} r="3.5" class=${one.errors ? "bad" : ""} /></a>`;
    })}</svg>`;
}
