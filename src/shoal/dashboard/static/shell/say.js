// Short messages at the edge of the page, read aloud by screen readers.
import { signal } from "./ui.js";

/** @typedef {{id: number, text: string, kind: string}} Saying */

export const sayings = signal(/** @type {Saying[]} */ ([]));

let count = 0;

/** Say something for some seconds. @param {string} text @param {"good" | "warn" | "bad"} [kind] */
export function say(text, kind = "good") {
  const id = (count += 1);
  sayings.value = [...sayings.value.slice(-3), { id, text, kind }];
  setTimeout(() => said(id), kind === "bad" ? 12_000 : 5_000);
}

/** Take a message away. @param {number} id */
export function said(id) {
  sayings.value = sayings.value.filter((one) => one.id !== id);
}
