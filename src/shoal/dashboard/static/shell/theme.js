// Light, dark, or as the system says.
import { signal } from "./ui.js";

const KEY = "shoal.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** What was chosen: "light", "dark" or "" for what the system says. */
export const theme = signal(localStorage.getItem(KEY) ?? "");

/** Counts changes of what is seen, so that what is painted on a canvas is painted again. */
export const painted = signal(0);

/** Choose the next: system, light, dark. */
export function turn() {
  theme.value = theme.value === "" ? "light" : theme.value === "light" ? "dark" : "";
  if (theme.value) localStorage.setItem(KEY, theme.value);
  else localStorage.removeItem(KEY);
  if (theme.value) document.documentElement.dataset.theme = theme.value;
  else delete document.documentElement.dataset.theme;
  painted.value += 1;
}

dark.addEventListener("change", () => (painted.value += 1));

/** The present value of a colour of the style. @param {string} name such as "--accent" */
export function color(name) {
  void painted.value;
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
