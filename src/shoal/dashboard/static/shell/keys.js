// The keyboard: what each key does, and the page that tells it.
import { signal } from "./ui.js";
import { go, link } from "./place.js";
import { paused } from "./data.js";
import { PAGES } from "../pages/table.js";

/** Whether the list of keys is shown. */
export const helping = signal(false);

/** Keys of the page that is shown: what they do and what to call. @type {Map<string, {label: string, act: () => void}>} */
const own = new Map();

/** Give a key a meaning as long as a page is shown; returns what takes it away. @param {string} key @param {string} label @param {() => void} act */
export function bind(key, label, act) {
  own.set(key, { label, act });
  return () => void own.delete(key);
}

/** Every key and what it does. @returns {[string, string][]} */
export function listing() {
  return [
    ["/", "search"],
    ["?", "this list"],
    ["p", "pause, and go on"],
    ["↑ ↓ Home End", "move in a list"],
    ["Enter", "open what is chosen"],
    ["Esc", "close, leave the field"],
    ...[...own].map(([key, { label }]) => /** @type {[string, string]} */ ([key, label])),
    ...PAGES.filter((page) => page.key).map((page) => /** @type {[string, string]} */ ([`g ${page.key}`, page.title])),
  ];
}

let jumping = 0;

/** @param {KeyboardEvent} event */
function pressed(event) {
  const target = event.target instanceof HTMLElement ? event.target : document.body;
  const writing = target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  if (event.key === "Escape") {
    if (helping.value) helping.value = false;
    else if (writing) target.blur();
    return;
  }
  if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
  const wanted = Date.now() - jumping < 1500 ? PAGES.find((page) => page.key === event.key) : undefined;
  jumping = event.key === "g" ? Date.now() : 0;
  if (wanted) go(link(wanted.name));
  else if (event.key === "/") /** @type {HTMLElement | null} */ (document.querySelector("[data-search]"))?.focus();
  else if (event.key === "?") helping.value = !helping.value;
  else if (event.key === "p") paused.value = !paused.value;
  else if (own.has(event.key)) own.get(event.key)?.act();
  else return;
  event.preventDefault();
}

export function start() {
  document.addEventListener("keydown", pressed);
}
