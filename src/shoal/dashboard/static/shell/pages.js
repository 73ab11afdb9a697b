// Lists that come page by page: the first stays fresh, older ones are added as the end comes near.
import { useEffect, useRef, useState } from "./ui.js";
import { get, troubleOf, useQuery } from "./data.js";
import { timeWindow } from "./time.js";

const MOST = 20_000;

/**
 * Everything that came so far, newest first.
 * @param {string} path
 * @param {import("./place.js").Params} wanted
 * @param {{id: (item: any) => string | number, at: (item: any) => number, limit?: number, on?: string}} how
 */
export function usePages(path, wanted, { id, at, limit = 200, on = "tick" }) {
  const { data, of, error, loading } = useQuery(path, { ...wanted, limit }, { timed: true, on });
  const state = useRef({ of: /** @type {string | null} */ (null), items: new Map(), next: /** @type {string | null} */ (null), seen: null, asking: false });
  const [, again] = useState(0);
  const [trouble, setTrouble] = useState(/** @type {any} */ (null));
  const now = state.current;

  if (data && now.of !== of) Object.assign(now, { of, items: new Map(), next: data.next, seen: null });
  if (data && data !== now.seen) {
    for (const item of data.items) now.items.set(id(item), item);
    now.seen = data;
  }
  useEffect(() => setTrouble(null), [of]);

  const more = async () => {
    if (!now.next || now.asking || loading || now.items.size >= MOST) return;
    now.asking = true;
    try {
      const page = await get(path, { ...wanted, limit, ...timeWindow.bounds(), cursor: now.next });
      if (now.of !== of) return;
      for (const item of page.items) if (!now.items.has(id(item))) now.items.set(id(item), item);
      now.next = page.next;
    } catch (caught) {
      setTrouble(troubleOf(caught));
      now.next = null;
    } finally {
      now.asking = false;
      again((n) => n + 1);
    }
  };
  const items = [...now.items.values()].sort((a, b) => at(b) - at(a));
  return { items, error: error ?? trouble, loading, ready: data !== undefined, more: now.next ? more : null };
}
