// Lays graphs out beside the page, which stays free to scroll and to type in meanwhile.
import { laid } from "./layout.js";

addEventListener("message", (event) => {
  const { name, nodes, edges } = event.data;
  postMessage({ name, laid: laid(nodes, edges) });
});
