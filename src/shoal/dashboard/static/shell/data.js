// What the server says: queries that stay fresh, and actions. One stream tells when something is new.
import { computed, effect, signal, useEffect, useRef } from "./ui.js";
import { param } from "./place.js";
import { timeWindow } from "./time.js";

/**
 * @typedef {{title: string, detail: string, hint?: string, status: number}} Trouble
 * @typedef {{data: any, of: string | null, error: Trouble | null, loading: boolean, refresh: () => void}} Query
 */

/** Whether the pages stand still. */
export const paused = signal(false);

/** The recorded runs, newest first: what the selector shows. */
export const runs = signal(/** @type {any[]} */ ([]));

/** How the stream does: "live", "lost" or "closed" (the tab is hidden). */
export const line = signal("closed");

/** Counts what came by the name of its event: `ticks.value.tick`. A query refreshes when its own counter moves. */
export const ticks = signal(/** @type {Record<string, number>} */ ({}));

/** The last notice that came with the stream. */
export const notice = signal(/** @type {any} */ (null));

const token = document.querySelector('meta[name="shoal-token"]')?.getAttribute("content") ?? "";

/** The newest run that was recorded here: what is looked at where none is chosen. */
export function newest() {
  return runs.value.find((one) => !one.source) ?? runs.value[0];
}

/** The run that is looked at: undefined before the list is there. */
export function run() {
  const wanted = Number(param("run")) || 0;
  return wanted ? runs.value.find((one) => one.number === wanted) : newest();
}

/** Whether what is looked at can still change. */
export function isLive() {
  return run()?.live ?? true;
}

class Refused extends Error {
  /** @param {Trouble} trouble */
  constructor(trouble) {
    super(trouble.detail);
    this.trouble = trouble;
  }
}

/** @param {unknown} error @returns {Trouble} */
export function troubleOf(error) {
  if (error instanceof Refused) return error.trouble;
  return { title: "No answer", detail: "The dashboard does not answer.", hint: "shoal ps", status: 0 };
}

/** @param {string} address @param {RequestInit} [how] */
async function ask(address, how) {
  const response = await fetch(address, { credentials: "same-origin", ...how });
  const type = response.headers.get("content-type") ?? "";
  const body = type.includes("json") ? await response.json() : await response.text();
  if (!response.ok) throw new Refused({ detail: "", title: response.statusText, ...body, status: response.status });
  return body;
}

/** Ask once. Throws what `troubleOf` reads. @param {string} path @param {import("./place.js").Params} [wanted] */
export function get(path, wanted = {}) {
  return ask(address(path, wanted));
}

/** Change something. Throws what `troubleOf` reads. @param {string} path @param {object} [body] */
export function post(path, body = {}) {
  const headers = { "content-type": "application/json", "x-shoal-token": token };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** @param {string} path @param {import("./place.js").Params} wanted */
export function address(path, wanted) {
  const query = new URLSearchParams();
  /** @type {import("./place.js").Params} */
  const all = { run: param("run"), ...wanted };
  for (const [key, value] of Object.entries(all)) {
    if (Array.isArray(value)) for (const one of value) query.append(key, one);
    else if (value !== null && value !== undefined && value !== "" && value !== false) query.set(key, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** What was answered last by address, so that going back shows it at once. @type {Map<string, any>} */
const kept = new Map();
const KEPT = 60;

/**
 * Ask, and ask again whenever the stream says that something is new. The last answer is shown until the next is there.
 *
 * @param {string | null} path null asks nothing
 * @param {import("./place.js").Params} [wanted]
 * @param {{timed?: boolean, on?: string, every?: number}} [options] `timed` adds since and until of the time range;
 *   `on` is the event that makes it ask again ("tick"; "" for never); `every` asks at most that often (ms)
 * @returns {Query} `of` names the question that `data` answers: while another is loading, the one before
 */
export function useQuery(path, wanted = {}, options = {}) {
  const { timed = false, on = "tick", every = 1000 } = options;
  const name = path === null ? null : address(path, wanted) + (timed ? `#${JSON.stringify(timeWindow.key.value)}` : "");
  const state = useRef(/** @type {any} */ (null));
  if (state.current === null) state.current = signal({ name: null, of: null, data: undefined, error: null, loading: false });
  const current = state.current;
  const refresh = useRef(() => {});

  useEffect(() => {
    if (name === null || path === null) return undefined;
    let gone = false, asking = false, again = false, last = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let later;
    const fetchIt = async () => {
      if (asking) return void (again = true);
      asking = true;
      last = Date.now();
      try {
        const data = await get(path, timed ? { ...wanted, ...timeWindow.bounds() } : wanted);
        kept.delete(name);
        kept.set(name, data);
        if (kept.size > KEPT) kept.delete(kept.keys().next().value ?? "");
        if (!gone) current.value = { name, of: name, data, error: null, loading: false };
      } catch (error) {
        if (!gone) current.value = { ...current.value, name, error: troubleOf(error), loading: false };
      }
      asking = false;
      if (again && !gone) {
        again = false;
        soon();
      }
    };
    const soon = () => {
      clearTimeout(later);
      later = setTimeout(fetchIt, Math.max(0, last + every - Date.now()));
    };
    refresh.current = fetchIt;
    const known = kept.get(name);
    current.value = { ...current.value, ...(known && { of: name, data: known }), name, error: null, loading: known === undefined };
    fetchIt();
    let seen = ticks.value[on], missed = false;
    const stop = on && effect(() => {
      const moved = ticks.value[on], still = paused.value || !isLive();
      missed ||= moved !== seen;
      seen = moved;
      if (missed && !still) {
        missed = false;
        soon();
      }
    });
    return () => {
      gone = true;
      clearTimeout(later);
      if (stop) stop();
    };
  }, [name, on, every]);

  const { data, of, error, loading } = current.value;
  return { data, of, error, loading: loading || current.value.name !== name, refresh: () => refresh.current() };
}

// -- the stream: one for a visible tab, none for a hidden one

/** @type {EventSource | null} */
let source = null;

/** Events that are passed on as counters. */
const EVENTS = ["tick", "resources", "runs", "notice", "action"];

function listen() {
  if (document.hidden || source) return;
  source = new EventSource("/api/stream");
  source.onopen = () => {
    const lost = line.value === "lost";
    line.value = "live";
    if (lost) bump(...EVENTS);
  };
  source.onerror = () => (line.value = "lost");
  for (const name of EVENTS)
    source.addEventListener(name, (event) => {
      const told = name === "notice" ? JSON.parse(event.data) : {};
      if (told.text) notice.value = told; // others have changed or ended, which the lists show
      bump(name);
    });
}

/** @param {...string} names */
function bump(...names) {
  const next = { ...ticks.value };
  for (const name of names) next[name] = (next[name] ?? 0) + 1;
  ticks.value = next;
}

function hidden() {
  if (document.hidden) {
    source?.close();
    source = null;
    line.value = "closed";
  } else {
    listen();
    bump(...EVENTS);
  }
}

/** Milliseconds between two questions for the list of runs, which looks into each of them. */
const RUNS_EVERY = 2000;

/** Ask for the list of runs, now and whenever it changes. */
export async function refreshRuns() {
  try {
    runs.value = (await ask("/api/runs")).items;
  } catch {
    // the page says by itself that nothing answers
  }
}

export function start() {
  document.addEventListener("visibilitychange", hidden);
  addEventListener("pagehide", () => source?.close());
  listen();
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let later;
  const changed = computed(() => `${ticks.value.runs} ${ticks.value.resources}`);
  effect(() => {
    void changed.value;
    clearTimeout(later);
    later = setTimeout(() => ((asked = Date.now()), refreshRuns()), Math.max(0, asked + RUNS_EVERY - Date.now()));
  });
}
