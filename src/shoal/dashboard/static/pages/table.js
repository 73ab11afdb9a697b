// Every page: a new one is a file beside this and a line here. The order is that of the navigation.

/**
 * @typedef {object} Page
 * @property {string} name first part of the path
 * @property {string} title as people read it
 * @property {string} group where it stands in the navigation; empty for pages that only links lead to
 * @property {string} [key] pressed after `g`
 * @property {() => Promise<{default: () => any}>} load gives the component
 */

/** @type {Page[]} */
export const PAGES = [
  { name: "map", title: "Map", group: "System", key: "m", load: () => import("./map.js") },
  { name: "service", title: "Service", group: "System", key: "v", load: () => import("./service.js") },
  { name: "events", title: "Events", group: "System", key: "e", load: () => import("./events.js") },
  { name: "traces", title: "Traces", group: "Telemetry", key: "t", load: () => import("./traces.js") },
  { name: "logs", title: "Logs", group: "Telemetry", key: "l", load: () => import("./logs.js") },
  { name: "metrics", title: "Metrics", group: "Telemetry", key: "c", load: () => import("./metrics.js") },
  { name: "notices", title: "Notices", group: "Telemetry", key: "n", load: () => import("./notices.js") },
  { name: "sagas", title: "Sagas", group: "System", key: "s", load: () => import("./sagas.js") },
  { name: "api", title: "API", group: "System", key: "a", load: () => import("./api.js") },
  { name: "data", title: "Data", group: "System", key: "d", load: () => import("./data.js") },
  { name: "gateway", title: "Gateway", group: "System", key: "w", load: () => import("./gateway.js") },
  { name: "mail", title: "Mail", group: "System", key: "i", load: () => import("./mail.js") },
  { name: "resources", title: "Resources", group: "System", key: "r", load: () => import("./resources.js") },
  { name: "actions", title: "Actions", group: "History", key: "o", load: () => import("./actions.js") },
  { name: "runs", title: "Runs", group: "History", key: "u", load: () => import("./runs.js") },
];

/** The page for an address that names none: the first. @param {string} name @returns {Page} */
export function pageOf(name) {
  return PAGES.find((page) => page.name === name) ?? PAGES[0];
}
