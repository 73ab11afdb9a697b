"""What is declared of who talks to whom: the nodes and edges of a system. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from shoal import model
from shoal.model.plan import GATEWAY

Kind = Literal["gateway", "service", "store", "topic", "external"]
Way = Literal["call", "event", "store"]

SPOKEN: Mapping[str, str] = {
    "postgres": "postgresql",
    "documents": "postgresql",
    "mongo": "mongodb",
    "dynamodb": "aws.dynamodb",
    "firestore": "gcp.firestore",
    "valkey": "redis",
    "memory-cache": "redis",
    "bigquery": "gcp.bigquery",
    "redshift": "aws.redshift",
    "postgres-search": "postgresql",
}
"""What OpenTelemetry calls our engines (`db.system.name`), where it is not our own word."""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """Something on the map."""

    id: str
    kind: Kind
    label: str
    summary: str = ""
    source: str = ""
    """``file:line`` of its declaration."""
    version: str = ""
    depth: int = 0
    """Calls that may follow one another below it."""
    chain: tuple[str, ...] = ()
    """The longest of them."""


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """A way that is declared."""

    source: str
    target: str
    kind: Way
    names: tuple[str, ...] = ()
    """Operations that are called."""
    circuits: tuple[str, ...] = ()
    """Breakers that guard it."""
    where: str = ""


def nodes(system: model.System) -> list[Node]:
    """List everything that takes part: gateway, services, their stores, their events and what lies outside."""
    found = [Node(id=GATEWAY, kind="gateway", label=GATEWAY)]
    chains = longest(system)
    for service in system.services:
        chain = chains[service.name]
        found.append(
            Node(
                id=service.name, kind="service", label=service.name, summary=service.summary, source=service.source,
                version=service.version, depth=len(chain) - 1, chain=chain,
            )
        )  # fmt: skip
    for service in system.services:
        kept = dict.fromkeys(engine for _, engine in stores(service))
        found += [Node(id=store_id(service.name, engine), kind="store", label=engine) for engine in kept]
        found += [Node(id=event.id, kind="topic", label=event.id, source=event.source) for event in service.publishes]
    found += [Node(id=one.name, kind="external", label=one.name, source=one.source) for one in system.externals]
    return list({node.id: node for node in found}.values())


def declared(system: model.System) -> list[Declared]:
    """List every way that is declared: calls, events to and from their topics, and stores."""
    found = [*_from_outside(system)]
    for service in system.services:
        found += _calls(service)
        found += [
            Declared(source=service.name, target=store_id(service.name, engine), kind="store", where=where)
            for where, engine in stores(service)
        ]
        found += [Declared(source=service.name, target=name, kind="call") for name in service.externals]
        found += [
            Declared(source=service.name, target=event.id, kind="event", where=event.source)
            for event in service.publishes
        ]
        found += [
            Declared(source=heard, target=service.name, kind="event", names=(s.handler,), where=s.source)
            for s in service.subscriptions
            for heard in s.heard
        ]
    return _merged(found)


def stores(service: model.Service) -> list[tuple[str, str]]:
    """List where a service keeps things: where it says so, and the engine."""
    kept = (service.store, service.cache, service.warehouse, service.search, service.objects)
    return [(getattr(one, "source", "") or service.source, one.engine) for one in kept if one is not None]


def store_id(service: str, engine: str) -> str:
    """Name a store as its traces name it."""
    return f"{service}/{SPOKEN.get(engine, engine)}"


def longest(system: model.System) -> dict[str, tuple[str, ...]]:
    """Find for each service the longest chain of calls that may wait for one another, itself first.

    A call back to a service that is in the chain already ends it.
    """
    callees = {s.name: sorted({call.service for call in s.calls}) for s in system.services}
    known: dict[str, tuple[str, ...]] = {}
    under_way: set[str] = set()

    def below(name: str) -> tuple[str, ...]:
        if name not in known:
            under_way.add(name)
            ways = [below(callee) for callee in callees.get(name, ()) if callee not in under_way]
            under_way.discard(name)
            known[name] = (name, *max(ways, key=len, default=()))
        return known[name]

    return {name: below(name) for name in callees}


def _from_outside(system: model.System) -> Iterable[Declared]:
    for service in system.services:
        names = tuple(e.name for e in service.endpoints if e.exposed)
        if names:
            yield Declared(source=GATEWAY, target=service.name, kind="call", names=names, where=service.source)


def _calls(service: model.Service) -> Iterable[Declared]:
    for call in service.calls:
        circuits = (call.breaker.circuit,) if call.breaker else ()
        yield Declared(
            source=service.name, target=call.service, kind="call", names=(call.endpoint,), circuits=circuits,
            where=call.source,
        )  # fmt: skip


def _merged(found: Iterable[Declared]) -> list[Declared]:
    """Make one of the ways between the same two, in the order of the first."""
    ways: dict[tuple[str, str], Declared] = {}
    for one in found:
        before = ways.setdefault((one.source, one.target), one)
        ways[one.source, one.target] = msgspec.structs.replace(
            before,
            names=tuple(dict.fromkeys((*before.names, *one.names))),
            circuits=tuple(dict.fromkeys((*before.circuits, *one.circuits))),
        )
    return list(ways.values())
