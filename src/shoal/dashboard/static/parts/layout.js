// Where the nodes of a graph lie and how its edges run: layered, from left to right. The same graph always gives the same picture.
import { Graph, layout } from "../vendor/dagre.js";

/**
 * @typedef {{id: string, width: number, height: number}} Box
 * @typedef {{id: string, source: string, target: string}} Line
 * @typedef {{x: number, y: number}} Point
 * @typedef {{width: number, height: number, nodes: Record<string, Point>, edges: Record<string, Point[]>}} Laid
 */

const MANY = 60;

/** @param {Box[]} nodes @param {Line[]} edges @returns {Laid} */
export function laid(nodes, edges) {
  const graph = new Graph({ multigraph: true });
  const many = nodes.length > MANY;
  graph.setGraph({
    rankdir: "LR", nodesep: many ? 10 : 16, ranksep: many ? 60 : 90, edgesep: 8, marginx: 12, marginy: 12,
    ranker: many ? "longest-path" : "network-simplex",
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of nodes) graph.setNode(id, { width, height });
  for (const { id, source, target } of edges) graph.setEdge(source, target, {}, id);
  layout(graph);
  /** @type {Laid} */
  const found = { width: graph.graph().width ?? 0, height: graph.graph().height ?? 0, nodes: {}, edges: {} };
  for (const id of graph.nodes()) {
    const { x, y } = graph.node(id);
    found.nodes[id] = { x, y };
  }
  for (const edge of graph.edges()) found.edges[edge.name] = graph.edge(edge).points;
  return found;
}
