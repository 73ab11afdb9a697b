// A trace as something to run again: a command, a test. Pure.

/** The first request that a service answered. @param {import("./tree.js").Tree} tree */
export function request(tree) {
  const waiting = [...tree.roots].reverse();
  while (waiting.length) {
    const one = /** @type {import("./tree.js").Node} */ (waiting.pop());
    const { span } = one;
    if (span.kind === "server" && span.attributes["http.request.method"]) {
      const path = span.attributes["url.path"] ?? span.attributes["http.route"] ?? "/";
      const query = span.attributes["url.query"];
      return {
        method: span.attributes["http.request.method"], path: query ? `${path}?${query}` : path,
        status: Number(span.attributes["http.response.status_code"] ?? 200), operation: span.attributes["shoal.operation"] ?? "",
      };
    }
    waiting.push(...[...one.children].reverse());
  }
  return null;
}

/** Whether a method sends a body. @param {string} method */
function sends(method) {
  return ["POST", "PUT", "PATCH"].includes(method);
}

/**
 * @param {import("./tree.js").Tree} tree @param {string} gateway
 * @param {string[] | null} roles of who may ask; null where nobody has to sign in
 * @returns {string} empty where no request began it
 */
export function curl(tree, gateway, roles) {
  const asked = request(tree);
  if (!asked) return "";
  const body = sends(asked.method) ? ` \\\n  -H 'content-type: application/json' -d '{}'` : "";
  const token = roles && ` \\\n  -H "authorization: Bearer $(shoal token --sub someone${roles.map((role) => ` --role ${role}`).join("")})"`;
  return `curl -i -X ${asked.method} ${quoted(gateway.replace(/\/$/, "") + asked.path)}${token ?? ""}${body}`;
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A test for the fixture `system`. @param {import("./tree.js").Tree} tree @param {any} data @param {string[] | null} roles as of `curl` */
export function pytest(tree, data, roles) {
  const asked = request(tree);
  if (!asked) return "";
  const method = asked.method.toLowerCase();
  const known = ["get", "post", "put", "patch", "delete"].includes(method);
  const body = sends(asked.method) ? ", json={}" : "";
  const token = roles ? ", token=token" : "";
  const call = known ? `system.${method}(${py(asked.path)}${token}${body})` : `system.request(${py(asked.method)}, ${py(asked.path)}${token})`;
  const events = [...tree.all.values()].filter(({ span }) => span.kind === "producer" && span.attributes["messaging.destination.name"])
    .map(({ span }) => span.attributes["messaging.destination.name"]);
  const name = `${method}_${asked.path}`.toLowerCase().replace(/\?.*/, "").replace(/[^a-z0-9]+/g, "_").replace(/_+$/, "");
  const lines = [
    "from shoal.testing import MemorySystem", "", "",
    `async def test_${name}(system: MemorySystem) -> None:`,
    `    """As in trace ${data.trace_id}, which took ${data.ms.toFixed(1)} ms."""`,
    "    # A body, and what was there before, are not recorded.",
    ...(roles ? [`    token = system.token("someone"${roles.length ? `, roles=[${roles.map(py).join(", ")}]` : ""})`] : []),
    `    answer = await ${call}`,
    `    assert answer.status == ${asked.status}`,
  ];
  if (events.length) lines.push("    await system.settle()", `    assert set(system.events.types()) >= ${py([...new Set(events)].sort())}`);
  return `${lines.join("\n")}\n`;
}

/** Write a value as Python does. @param {string | string[]} value @returns {string} */
function py(value) {
  return Array.isArray(value) ? `{${value.map(py).join(", ")}}` : JSON.stringify(value);
}
