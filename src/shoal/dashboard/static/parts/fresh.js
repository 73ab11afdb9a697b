// Questions about what runs: what changes there tells no telemetry, so they are asked again after some seconds, too.
import { useEffect, useRef } from "../shell/ui.js";
import { isLive, paused, useQuery } from "../shell/data.js";

const PERIOD = 4000;

/**
 * Ask as `useQuery` does, and once more every few seconds while the page is seen and not paused.
 * @param {string | null} path
 * @param {import("../shell/place.js").Params} [wanted]
 * @param {{timed?: boolean, on?: string, every?: number}} [options]
 * @returns {import("../shell/data.js").Query}
 */
export function useFresh(path, wanted = {}, options = {}) {
  const query = useQuery(path, wanted, options);
  const again = useRef(query.refresh);
  again.current = query.refresh;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden && !paused.value && isLive()) again.current();
    }, PERIOD);
    return () => clearInterval(timer);
  }, []);
  return query;
}
