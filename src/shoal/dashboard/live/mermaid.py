"""A map as a Mermaid flowchart, for documents. Pure."""

from shoal.dashboard.live.map import Edge, Map, Place

_SHAPES = {
    "gateway": '(["{}"])',
    "service": '["{}"]',
    "store": '[("{}")]',
    "topic": '>"{}"]',
    "external": '[["{}"]]',
}


def mermaid(drawn: Map) -> str:
    """Write a map as text; calls are solid, events dashed, ways that nobody declared red."""
    names = {node.id: f"n{number}" for number, node in enumerate(drawn.nodes)}
    lines = ["flowchart LR", *(f"  {names[node.id]}{_shape(node)}" for node in drawn.nodes)]
    lines += [f"  {names[edge.source]} {_arrow(edge)} {names[edge.target]}" for edge in drawn.edges]
    odd = [str(number) for number, edge in enumerate(drawn.edges) if edge.standing == "undeclared"]
    if odd:
        lines.append(f"  linkStyle {','.join(odd)} stroke:#d33")
    return "\n".join(lines) + "\n"


def _shape(node: Place) -> str:
    return _SHAPES[node.kind].format(node.label.replace('"', "#quot;"))


def _arrow(edge: Edge) -> str:
    line = "-.->" if edge.kind == "event" else "-->"
    return f'{line}|"{edge.rate:.2g}/s"|' if edge.count else line
