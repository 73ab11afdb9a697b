// The beginning: the frame is drawn, keys and stream are opened.
import { html, render } from "./ui.js";
import { start as startData } from "./data.js";
import { start as startKeys } from "./keys.js";
import { Frame } from "./frame.js";

const root = document.getElementById("app");
root?.replaceChildren(); // what stood there until now
if (root) render(html`<${Frame} />`, root);
startKeys();
startData();
