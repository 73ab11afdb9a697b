// A table of any length: only the rows that are seen are drawn. Arrows move, Enter opens.
import { html, useEffect, useRef, useState } from "../shell/ui.js";
import { go } from "../shell/place.js";

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {any} title a word, or elements
 * @property {string} width as of a grid: "80px", "1fr", "minmax(8rem, 2fr)"
 * @property {(row: any) => any} cell
 * @property {"end"} [align]
 * @property {string} [tip] explains the title
 */

export const ROW = 28;
const AROUND = 12;

/**
 * @param {object} given
 * @param {string} given.label for screen readers
 * @param {any[]} given.rows
 * @param {Column[]} given.columns
 * @param {(row: any) => string} given.id
 * @param {(row: any) => string | null} [given.href] where a row leads
 * @param {(row: any) => void} [given.onChoose] called for a click and for Enter, where a row leads nowhere
 * @param {string} [given.chosen] id of the row that is open
 * @param {(row: any) => string} [given.tone] a class of the row
 * @param {(() => void) | null} [given.onEnd] called when the end comes near: load more
 * @param {(row: any, key: string) => boolean} [given.onKey] a key on the active row; says whether it meant something
 * @param {boolean} [given.stick] stay at the end as rows come, when there
 */
export function Table({ label, rows, columns, id, href, onChoose, chosen, tone, onEnd, onKey, stick }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [active, setActive] = useState(-1);
  const atEnd = useRef(true);

  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const watch = new ResizeObserver(() => setHeight(element.clientHeight));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (stick && atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [stick, rows]);

  const from = Math.max(0, Math.floor(top / ROW) - AROUND);
  const to = Math.min(rows.length, Math.ceil((top + height) / ROW) + AROUND);
  useEffect(() => {
    if (onEnd && to >= rows.length - 5) onEnd();
  }, [to, rows.length]);

  const scrolled = () => {
    const element = /** @type {HTMLDivElement} */ (box.current);
    setTop(element.scrollTop);
    atEnd.current = element.scrollTop + element.clientHeight >= element.scrollHeight - ROW;
  };
  const open = (/** @type {any} */ row) => {
    const target = href?.(row);
    if (target) go(target);
    else onChoose?.(row);
  };
  const move = (/** @type {number} */ to) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setActive(next);
    const element = box.current;
    if (!element) return;
    const head = ROW;
    if (next * ROW < element.scrollTop) element.scrollTop = next * ROW;
    else if ((next + 1) * ROW + head > element.scrollTop + element.clientHeight)
      element.scrollTop = (next + 1) * ROW + head - element.clientHeight;
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.target instanceof HTMLElement && /^(BUTTON|INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const page = Math.max(1, Math.floor(height / ROW) - 2);
    const steps = /** @type {Record<string, number>} */ ({
      ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: rows.length - 1,
    });
    if (event.key in steps) move(steps[event.key]);
    else if (rows[active] !== undefined && onKey?.(rows[active], event.key)) void 0;
    else if (event.key === "Enter" && rows[active] !== undefined) open(rows[active]);
    else return;
    event.preventDefault();
  };

  const grid = columns.map((one) => one.width).join(" ");
  return html`<div class="table" ref=${box} tabindex="0" role="grid" aria-label=${label} aria-rowcount=${rows.length + 1}
      aria-activedescendant=${active >= 0 ? `row-${active}` : null} onScroll=${scrolled} onKeyDown=${pressed}>
    <div class="row head" role="row" style=${{ gridTemplateColumns: grid }}>
      ${columns.map((one) => html`<div key=${one.name} role="columnheader" class=${one.align ?? ""} title=${one.tip}>${one.title}</div>`)}
    </div>
    <div class="rows" role="rowgroup" style=${{ height: `${rows.length * ROW}px` }}>
      ${rows.slice(from, to).map((row, n) => {
        const index = from + n, key = id(row);
        const target = href?.(row);
        const classes = ["row", index % 2 ? "odd" : "", index === active ? "active" : "", key === chosen ? "chosen" : "",
          target || onChoose ? "leads" : "", tone?.(row) ?? ""].join(" ");
        return html`<div key=${key} id=${`row-${index}`} class=${classes} role="row" aria-rowindex=${index + 2}
            aria-selected=${key === chosen ? "true" : null}
            style=${{ gridTemplateColumns: grid, transform: `translateY(${index * ROW}px)` }}
            onClick=${(/** @type {MouseEvent} */ event) => clicked(event, () => (setActive(index), open(row)))}>
          ${columns.map((one, c) => html`<div key=${one.name} role="gridcell" class=${one.align ?? ""}>
            ${c === 0 && target ? html`<a href=${target} tabindex="-1">${one.cell(row)}</a>` : one.cell(row)}</div>`)}
        </div>`;
      })}
    </div>
  </div>`;
}

/** A click on a row, but not one on what stands in it, nor the end of choosing text. @param {MouseEvent} event @param {() => void} act */
function clicked(event, act) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.defaultPrevented || target.closest("a, button, input, select") || String(getSelection())) return;
  act();
}
