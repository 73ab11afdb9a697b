// Where we are: page, path and parameters, all of it in the address. Nothing that is seen is kept elsewhere.
import { computed, signal } from "./ui.js";

/**
 * @typedef {Record<string, string | number | boolean | string[] | null | undefined>} Params
 * @typedef {{page: string, rest: string[], params: URLSearchParams}} Place
 */

/** Parameters that go along to every page. */
export const STICKY = ["run", "range", "since", "until", "service"];

const HOME = "map";
const MEMORY = "shoal.places";

export const place = signal(read());

/** The name of the present page. */
export const page = computed(() => place.value.page);

/** @returns {Place} */
function read() {
  const [first, ...rest] = location.pathname.split("/").filter(Boolean).map(plain);
  return { page: first ?? HOME, rest, params: new URLSearchParams(location.search) };
}

/** A part of a path as it was meant; one that nobody could have meant as it is. @param {string} part */
function plain(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** One parameter of the address, or `otherwise`. @param {string} name @param {string} [otherwise] */
export function param(name, otherwise = "") {
  return place.value.params.get(name) ?? otherwise;
}

/** All values of a parameter. @param {string} name @returns {string[]} */
export function params(name) {
  return place.value.params.getAll(name);
}

/**
 * The address of a page: what is sticky goes along, and what the page showed last is shown again unless `wanted` is given.
 * @param {string} path such as "traces" or "traces/4bf9"
 * @param {Params} [wanted]
 */
export function link(path, wanted) {
  const query = new URLSearchParams(wanted ? "" : (memory()[path] ?? ""));
  for (const key of STICKY) {
    query.delete(key);
    for (const value of place.value.params.getAll(key)) query.append(key, value);
  }
  for (const [key, value] of Object.entries(wanted ?? {})) write(query, key, value);
  const text = query.toString();
  return `/${path.split("/").map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** Change parameters of this page. @param {Params} changes @param {{replace?: boolean}} [how] */
export function setParams(changes, how = {}) {
  const query = new URLSearchParams(place.value.params);
  for (const [key, value] of Object.entries(changes)) write(query, key, value);
  const text = query.toString();
  go(`${location.pathname}${text ? `?${text}` : ""}`, how);
}

/** Go to an address of ours. @param {string} address @param {{replace?: boolean}} [how] */
export function go(address, how = {}) {
  if (address === location.pathname + location.search) return;
  const before = place.value.page;
  history[how.replace ? "replaceState" : "pushState"](null, "", address);
  arrive();
  if (place.value.page !== before) scrollTo(0, 0);
}

function arrive() {
  place.value = read();
  remember();
}

function remember() {
  const path = [place.value.page, ...place.value.rest].join("/");
  sessionStorage.setItem(MEMORY, JSON.stringify({ ...memory(), [path]: place.value.params.toString() }));
}

/** @returns {Record<string, string>} */
function memory() {
  try {
    return JSON.parse(sessionStorage.getItem(MEMORY) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {URLSearchParams} query @param {string} key @param {Params[string]} value */
function write(query, key, value) {
  query.delete(key);
  if (Array.isArray(value)) for (const one of value) query.append(key, one);
  else if (value !== null && value !== undefined && value !== "" && value !== false) query.set(key, String(value));
}

/** Follow links within the dashboard without loading the page again. @param {MouseEvent} event */
function follow(event) {
  const anchor = event.target instanceof Element ? event.target.closest("a") : null;
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!anchor || !plain || event.defaultPrevented || anchor.target || anchor.hasAttribute("download")) return;
  if (anchor.origin !== location.origin || anchor.pathname.startsWith("/api/")) return;
  event.preventDefault();
  go(anchor.pathname + anchor.search);
}

addEventListener("popstate", arrive);
document.addEventListener("click", follow);
remember();
