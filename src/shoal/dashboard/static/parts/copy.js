// Take something out of the page: to the clipboard, or as a file.
import { html } from "../shell/ui.js";
import { say } from "../shell/say.js";

/** @param {string} text @param {string} [what] */
export async function copy(text, what = "") {
  try {
    await navigator.clipboard.writeText(text);
    say(what ? `${what} copied` : "Copied");
  } catch {
    say("This browser does not let a page copy", "bad");
  }
}

/** @param {{text: string | (() => string), what?: string, children?: any}} given */
export function Copy({ text, what = "", children = "Copy" }) {
  const act = () => copy(typeof text === "function" ? text() : text, what);
  return html`<button type="button" onClick=${act}>${children}</button>`;
}

/** Give a file to the browser. @param {string} name @param {string} text @param {string} [type] */
export function save(name, text, type = "application/json") {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
