"""The map: what is declared, joined with what was observed. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from shoal import model
from shoal.dashboard.live import topology
from shoal.dashboard.live.readings import Circuit, CircuitState
from shoal.dashboard.live.topology import Declared, Node, Way
from shoal.local.state import ProcessState, RunState
from shoal.model.fault import Fault

Standing = Literal["active", "idle", "undeclared"]
Health = Literal["", "up", "degraded", "down"]


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What went over one way in a span of time, as the store of traces counts it."""

    source: str
    target: str
    kind: Way
    name: str = ""
    count: int = 0
    errors: int = 0
    rate: float = 0.0
    """A second."""
    p50: float | None = None
    """Milliseconds, as `p99`."""
    p99: float | None = None


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """A way on the map."""

    id: str
    source: str
    target: str
    kind: Way
    standing: Standing
    names: tuple[str, ...] = ()
    count: int = 0
    errors: int = 0
    rate: float = 0.0
    p50: float | None = None
    p99: float | None = None
    circuit: CircuitState | None = None
    """How its breaker stands; None where it has none, or nothing runs."""
    fault: str = ""
    """What goes wrong on it on purpose."""
    where: str = ""


class Place(Node, frozen=True, kw_only=True):
    """A node with how it is."""

    health: Health = ""
    """Empty where nobody knows: nothing runs, or it is none of our processes."""
    ready: int = 0
    replicas: int = 0
    declared: bool = True
    count: int = 0
    errors: int = 0
    rate: float = 0.0
    """Requests and events that came in, a second."""


class Map(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it."""

    system: str
    live: bool
    nodes: list[Place]
    edges: list[Edge]
    chain: tuple[str, ...] = ()
    """The longest chain of calls that may wait for one another."""


def drawn(
    system: model.System,
    seen: Iterable[Observed],
    *,
    run: RunState | None = None,
    circuits: Sequence[Circuit] = (),
    faults: Sequence[Fault] = (),
) -> Map:
    """Join what is declared with what was observed.

    Args:
        system: What is declared.
        seen: What was observed; ways that nobody declared are drawn, too.
        run: What runs; None when nothing does.
        circuits: How the breakers stand.
        faults: What goes wrong on purpose.
    """
    observed = _gathered(seen)
    ways = {(one.source, one.target): one for one in topology.declared(system)}
    turned = {(c.service, c.name): c.state for c in circuits}
    struck = _struck(faults)
    edges = [
        _edge(at, ways.get(at), observed.get(at), turned, struck.get(at, ""))
        for at in dict.fromkeys((*ways, *observed))
    ]
    nodes = topology.nodes(system)
    return Map(
        system=system.name,
        live=run is not None,
        nodes=_places(nodes, edges, run),
        edges=edges,
        chain=max((node.chain for node in nodes), key=len, default=()),
    )


def edge_id(source: str, target: str) -> str:
    """Name a way in addresses and in the page."""
    return f"{source}→{target}"


def processes_of(run: RunState | None, service: str) -> list[ProcessState]:
    """List the processes that run a service; one that is of no service runs them all."""
    found = run.processes if run is not None else ()
    return [p for p in found if p.kind == "service" and p.service in (service, "")]


def _gathered(seen: Iterable[Observed]) -> Mapping[tuple[str, str], list[Observed]]:
    found: dict[tuple[str, str], list[Observed]] = {}
    for one in seen:
        if one.source and one.target:
            found.setdefault((one.source, one.target), []).append(one)
    return found


def _edge(
    at: tuple[str, str],
    declared: Declared | None,
    seen: Sequence[Observed] | None,
    circuits: Mapping[tuple[str, str], CircuitState],
    fault: str,
) -> Edge:
    rows = seen or ()
    standing: Standing = "undeclared" if declared is None else "active" if rows else "idle"
    states = [circuits[at[0], name] for name in (declared.circuits if declared else ()) if (at[0], name) in circuits]
    return Edge(
        id=edge_id(*at),
        source=at[0],
        target=at[1],
        kind=declared.kind if declared else rows[0].kind,
        standing=standing,
        names=declared.names if declared else tuple(dict.fromkeys(one.name for one in rows)),
        count=sum(one.count for one in rows),
        errors=sum(one.errors for one in rows),
        rate=sum(one.rate for one in rows),
        p50=max((one.p50 for one in rows if one.p50 is not None), default=None),
        p99=max((one.p99 for one in rows if one.p99 is not None), default=None),
        circuit=_worst(states),
        fault=fault,
        where=declared.where if declared else "",
    )


def _worst(states: Sequence[CircuitState]) -> CircuitState | None:
    order: tuple[CircuitState, ...] = ("open", "half-open", "closed")
    return next((state for state in order if state in states), None)


def _struck(faults: Iterable[Fault]) -> Mapping[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for fault in faults:
        at = fault.caller, fault.callee
        found[at] = "; ".join(filter(None, (found.get(at, ""), told(fault))))
    return found


def told(fault: Fault) -> str:
    """Say in a few words what a fault does."""
    parts = [f"{fault.delay:g} s later"] if fault.delay else []
    parts += [f"answered by {fault.abort}"] if fault.abort else []
    which = f"{fault.endpoint}: " if fault.endpoint else ""
    return f"{which}{fault.percent:g} % {' and '.join(parts)}"


def _places(nodes: Iterable[Node], edges: Sequence[Edge], run: RunState | None) -> list[Place]:
    known = {node.id: node for node in nodes}
    for edge in edges:
        for name in (edge.source, edge.target):
            kind: topology.Kind = "store" if edge.kind == "store" and name == edge.target else "service"
            known.setdefault(name, Node(id=name, kind=kind, label=name, depth=-1))
    return [_place(node, edges, run) for node in known.values()]


def _place(node: Node, edges: Sequence[Edge], run: RunState | None) -> Place:
    coming = [edge for edge in edges if edge.target == node.id]
    processes = processes_of(run, node.id) if node.kind == "service" else []
    ready = sum(p.status == "ready" for p in processes)
    health: Health = ""
    if processes:
        health = "down" if not ready else "up" if ready == len(processes) else "degraded"
    values = {name: getattr(node, name) for name in Node.__struct_fields__}
    values["depth"] = max(0, node.depth)
    return Place(
        **values,
        declared=node.depth >= 0,
        health=health,
        ready=ready,
        replicas=len(processes),
        count=sum(edge.count for edge in coming),
        errors=sum(edge.errors for edge in coming),
        rate=sum(edge.rate for edge in coming),
    )
