"""Who asks whom and who hears whom: handlers, the calls in them, chains and cycles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from shoal.check.finding import Place, at
from shoal.check.source import Contract, Function, Source
from shoal.model.saga import Step
from shoal.model.service import Call, Endpoint, Service, Subscription
from shoal.model.system import System

Kind = Literal["endpoint", "subscription", "step", "schedule"]


class Operation(NamedTuple):
    """One endpoint of one service."""

    service: str
    endpoint: str

    def __str__(self) -> str:
        """Spell it: ``products.prices``."""
        return f"{self.service}.{self.endpoint}"


@dataclass(frozen=True, eq=False)
class Handler:
    """Code of a service that something sets off.

    Attributes:
        service: Whose it is.
        kind: What sets it off.
        name: Of the endpoint, the function, the saga's step or the schedule.
        where: Where it is declared.
        function: What it does; None where its source is not known.
        endpoint: What it answers, of the kind ``endpoint``.
        subscription: What it hears, of the kind ``subscription``.
        step: What it is a part of, of the kind ``step``.
    """

    service: Service
    kind: Kind
    name: str
    where: str
    function: Function | None = None
    endpoint: Endpoint | None = None
    subscription: Subscription | None = None
    step: Step | None = None

    def __str__(self) -> str:
        """Spell it: ``orders.place_order``."""
        return f"{self.service.name}.{self.name}"


@dataclass(frozen=True, eq=False)
class Site:
    """One place at which a handler calls another service, itself or in a function to which it leads.

    Attributes:
        handler: In whose work it lies.
        call: What is called, as it is declared.
        where: Where that stands.
        looped: Whether it is called for each round of a loop.
        certain: Whether the call was read in the source; else the handler may make it, for all that is known.
    """

    handler: Handler
    call: Call
    where: Place
    looped: bool = False
    certain: bool = True

    @property
    def callee(self) -> Operation:
        """What is called."""
        return Operation(self.call.service, self.call.endpoint)


class Graph:
    """What follows from the declarations and, as far as it is known, from the source."""

    def __init__(self, system: System, source: Source) -> None:
        self._system, self._source = system, source

    @cached_property
    def handlers(self) -> tuple[Handler, ...]:
        """Every handler, in the order of the system."""
        return tuple(handler for service in self._system.services for handler in _handlers(service, self._source))

    @cached_property
    def sites(self) -> Mapping[Handler, tuple[Site, ...]]:
        """Handler → the calls to other services in it, in the order of their places."""
        return {h: tuple(sorted(self._sites(h), key=lambda site: site.where)) for h in self.handlers}

    @cached_property
    def answering(self) -> Mapping[Operation, Handler]:
        """Operation → the handler that answers it."""
        return {Operation(h.service.name, h.name): h for h in self.handlers if h.kind == "endpoint"}

    @cached_property
    def between(self) -> Mapping[tuple[str, str], tuple[Site, ...]]:
        """Caller and callee → every place at which the one calls the other."""
        found: dict[tuple[str, str], list[Site]] = {}
        for handler, sites in self.sites.items():
            for site in sites:
                found.setdefault((handler.service.name, site.call.service), []).append(site)
        return {pair: tuple(sites) for pair, sites in found.items()}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Handler, ...]]:
        """Id of an event → its handlers, those that take it as an older version included."""
        found: dict[str, list[Handler]] = {}
        for handler in self.handlers:
            for event in handler.subscription.heard if handler.subscription else ():
                found.setdefault(event, []).append(handler)
        return {event: tuple(handlers) for event, handlers in found.items()}

    @cached_property
    def neighbours(self) -> Mapping[str, frozenset[str]]:
        """Service → the others that it calls, that call it, or with which it exchanges events."""
        found: dict[str, set[str]] = {service.name: set() for service in self._system.services}
        pairs = [(service.name, call.service) for service in self._system.services for call in service.calls]
        pairs += [
            (handler.service.name, event.partition(".")[0])
            for event, handlers in self.consumers.items()
            for handler in handlers
        ]
        for one, other in pairs:
            if one != other and other in found:
                found[one].add(other)
                found[other].add(one)
        return {name: frozenset(others) for name, others in found.items()}

    @cached_property
    def chains(self) -> tuple[tuple[Site, ...], ...]:
        """The longest way of synchronous calls from each handler that begins one: which no other chain passes through.

        A way ends before it comes back to an operation; see `cycles`.
        """
        called = {
            self.answering[s.callee] for sites in self.sites.values() for s in sites if s.callee in self.answering
        }
        begins = [h for h, sites in self.sites.items() if sites and h not in called]
        known: dict[Handler, tuple[Site, ...]] = {}
        return tuple(self._longest(handler, known) for handler in begins)

    @cached_property
    def cycles(self) -> tuple[tuple[Site, ...], ...]:
        """For each group of services that can call each other in a circle, a shortest circle, place by place."""
        nexts: dict[str, dict[str, Site]] = {service.name: {} for service in self._system.services}
        for (caller, callee), sites in self.between.items():
            nexts[caller].setdefault(callee, sites[0])
        groups = [group for group in _components(nexts) if len(group) > 1 or group[0] in nexts[group[0]]]
        return tuple(_shortest(nexts, set(group)) for group in groups)

    def _sites(self, handler: Handler) -> Iterator[Site]:
        calls = {(c.service, c.endpoint): c for c in handler.service.calls}
        if not calls:
            return
        if handler.function is None:
            yield from self._declared(handler)
            return
        contracts: dict[str, Contract | None] = {}
        used: set[str] = set()
        for use in self._source.uses(handler.function):
            contract = contracts.setdefault(use.kind.name, self._source.contract(use.kind.name))
            call = calls.get((contract.service, use.method)) if contract else None
            if contract and call:
                used.add(contract.name)
                yield Site(handler, call, use.where, use.looped)
        yield from self._handed_on(handler, handler.function, calls, used)

    def _declared(self, handler: Handler) -> Iterator[Site]:
        """List what a handler may call whose source nobody has."""
        if handler.step is not None:
            named = {*handler.step.calls, *handler.step.undo_calls}
            own = [c for c in handler.service.calls if f"{c.service}.{c.endpoint}" in named]
        elif self._source.module(at(handler.where).file) is None:
            own = list(handler.service.calls)
        else:
            own = []  # what the framework itself answers calls nobody
        for call in own:
            yield Site(handler, call, self._source.place_of(call.source or handler.where), certain=False)

    def _handed_on(
        self, handler: Handler, function: Function, calls: Mapping[tuple[str, str], Call], used: set[str]
    ) -> Iterator[Site]:
        """List what may be called on a client that goes to where nobody can follow."""
        for name, kind in function.kinds.items():
            contract = self._source.contract(kind.name)
            if contract is None or contract.name in used:
                continue
            where = function.module.place(function.parameters[name])
            for operation in sorted(contract.operations):
                call = calls.get((contract.service, operation))
                if call is not None:
                    yield Site(handler, call, where, certain=False)

    def _longest(self, handler: Handler, known: dict[Handler, tuple[Site, ...]]) -> tuple[Site, ...]:
        """Find the longest way, without recursion: a system may be deeper than the interpreter's stack."""
        stack: list[tuple[Handler, bool]] = [(handler, False)]
        open_: set[Handler] = set()
        while stack:
            one, returned = stack.pop()
            nexts = [(site, self.answering.get(site.callee)) for site in self.sites[one]]
            if returned:
                open_.discard(one)
                ways = [(site, *(known.get(other, ()) if other else ())) for site, other in nexts if other not in open_]
                known[one] = max(ways, key=len, default=())
            elif one not in known and one not in open_:
                open_.add(one)
                stack += [(one, True), *((other, False) for _, other in nexts if other and other not in open_)]
        return known[handler]


def _handlers(service: Service, source: Source) -> Iterator[Handler]:
    for endpoint in service.endpoints:
        function = source.function(endpoint.source)
        yield Handler(service, "endpoint", endpoint.name, endpoint.source, function, endpoint=endpoint)
    for subscription in service.subscriptions:
        function = source.function(subscription.source)
        name = subscription.handler
        yield Handler(service, "subscription", name, subscription.source, function, subscription=subscription)
    for saga in service.sagas:
        for step in saga.steps:
            yield Handler(
                service, "step", f"{saga.name}.{step.name}", step.source, source.function(step.source), step=step
            )
    for schedule in service.schedules:
        yield Handler(service, "schedule", schedule.name, schedule.source, source.function(schedule.source))


def _components(nexts: Mapping[str, Mapping[str, Site]]) -> list[list[str]]:
    """Find the strongly connected components (Tarjan 1972), without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []
    for root in nexts:
        work = [(root, iter(nexts[root]))] if root not in index else []
        while work:
            node, others = work[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                path.append(node)
            other = next(others, None)
            if other is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    cut = path.index(node)
                    found.append(path[cut:])
                    del path[cut:]
            elif other not in index:
                work.append((other, iter(nexts.get(other, {}))))
            elif other in path:
                low[node] = min(low[node], index[other])
    return found


def _shortest(nexts: Mapping[str, Mapping[str, Site]], group: set[str]) -> tuple[Site, ...]:
    """Find a shortest circle within a group."""
    best: tuple[Site, ...] = ()
    for start in sorted(group):
        ways: list[tuple[str, tuple[Site, ...]]] = [(start, ())]
        seen: set[str] = set()
        for node, way in ways:  # grows while it is read
            if best and len(way) + 1 >= len(best):
                break
            for other, site in nexts[node].items():
                if other == start:
                    best = (*way, site)
                    break
                if other in group and other not in seen:
                    seen.add(other)
                    ways.append((other, (*way, site)))
    return best
