"""Who asks whom and who hears whom: handlers, the calls in them, chains and cycles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

from shoal.check.circles import groups, shortest
from shoal.check.finding import Place, at
from shoal.check.source import Contract, Function, Reference, Source, Use
from shoal.check.source import Kind as Type
from shoal.check.source.kinds import given, kind_of
from shoal.model.saga import Step
from shoal.model.service import Call, Endpoint, Service, Subscription
from shoal.model.system import System

Kind = Literal["endpoint", "subscription", "step", "compensation", "schedule", "work"]
"""What sets a handler off; ``work`` is anything else: a background task, what provides something when it starts."""

LENT = "lend-"
"""Beginning of the names of operations by which services bring read models up to date, once, when they start."""


class Operation(NamedTuple):
    """One endpoint of one service."""

    service: str
    endpoint: str

    def __str__(self) -> str:
        """Spell it: ``products.prices``; of an operation that nobody knows, the service alone."""
        return f"{self.service}.{self.endpoint}" if self.endpoint else self.service


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
        step: What it is a part of, of the kinds ``step`` and ``compensation``.
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
        self._provided: dict[str, dict[str, Function]] = {}
        self._reached: dict[Handler, Mapping[Function, bool]] = {}

    @cached_property
    def handlers(self) -> tuple[Handler, ...]:
        """Every handler, in the order of the system."""
        return tuple(handler for service in self._system.services for handler in _handlers(service, self._source))

    @cached_property
    def sites(self) -> Mapping[Handler, tuple[Site, ...]]:
        """Handler → the calls to other services in it, in the order in which it comes to them.

        What a service calls in no handler, but in a background task or when it starts, has a handler of its own here.
        """
        found = {h: tuple(self._sites(h)) for h in self.handlers}
        return found | {site.handler: (site,) for site in self._elsewhere(found)}

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
        return tuple(shortest(nexts, set(group)) for group in groups(nexts))

    def provider(self, service: Service, kind: str) -> Function | None:
        """Find the function by which a service provides a type to its handlers, by the type's full name."""
        return self._providers(service).get(kind)

    def reached(self, handler: Handler) -> Mapping[Function, bool]:
        """List the functions to which a handler leads, and whether only in rounds of a loop.

        Those behind a port are among them: methods of what the provider of the port's type makes.
        """
        if handler not in self._reached:
            self._reached[handler] = dict(self._leads(handler)) if handler.function else {}
        return self._reached[handler]

    def uses(self, handler: Handler) -> Iterator[Use]:
        """List what a handler does with what it is given, itself and by the functions to which it leads."""
        for function, looped in self.reached(handler).items():
            yield from (replace(use, looped=True) if looped and not use.looped else use for use in function.uses)

    def _leads(self, handler: Handler) -> Mapping[Function, bool]:
        found: dict[Function, bool] = {}
        waiting = [(handler.function, False)] if handler.function else []
        for start, within in waiting:  # grows while it is read
            for one, looped in self._source.reached(start):
                if one not in found or (found[one] and not (looped or within)):
                    found[one] = looped or within
                    waiting += [(other, found[one] or how.looped) for other, how in self._behind(handler.service, one)]
        return found

    def _behind(self, service: Service, function: Function) -> Iterator[tuple[Function, Reference]]:
        """List the methods that are behind the ports which a function uses."""
        for (kind, name), reference in function.asked.items():
            provider = self.provider(service, kind)
            for maker, _ in self._source.reached(provider) if provider else ():
                methods = (self._source.method(made, name) for made in maker.named)
                yield from ((method, reference) for method in methods if method)

    def _way(self, handler: Handler) -> Mapping[Function, tuple[tuple[int, int], ...]]:
        """Map the functions to which a handler leads to the places by which one comes there, from its own on."""
        found: dict[Function, tuple[tuple[int, int], ...]] = {handler.function: ()} if handler.function else {}
        waiting = list(found)
        for one in waiting:  # grows while it is read
            for other, reference in (*self._source.following(one), *self._behind(handler.service, one)):
                if other not in found:
                    found[other] = (*found[one], (reference.line, reference.column))
                    waiting.append(other)
        return found

    def _sites(self, handler: Handler) -> Iterator[Site]:
        calls = {(c.service, c.endpoint): c for c in handler.service.calls}
        if not calls:
            return
        if handler.function is None:
            yield from sorted(self._declared(handler), key=lambda site: site.where)
            return
        asked: list[tuple[Use, Contract, Call]] = []
        contracts: dict[str, Contract | None] = {}
        for use in self.uses(handler):
            if use.kind.name not in contracts:
                contracts[use.kind.name] = self._source.contract(use.kind.name)
            contract = contracts[use.kind.name]
            call = calls.get((contract.service, use.method)) if contract else None
            if contract and call:
                asked.append((use, contract, call))
        if len({use.function for use, _, _ in asked}) > 1:
            way = self._way(handler)
            asked.sort(
                key=lambda each: (*way.get(each[0].function, ()), (each[0].node.lineno, each[0].node.col_offset))
            )
        yield from (Site(handler, call, use.where, use.looped) for use, _, call in asked)
        used = {contract.name for _, contract, _ in asked}
        yield from self._handed_on(handler, handler.function, calls, used)

    def _declared(self, handler: Handler) -> Iterator[Site]:
        """List what a handler may call whose source nobody has."""
        if handler.step is not None:
            named = handler.step.calls if handler.kind == "step" else handler.step.undo_calls
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
        """List what may be called on a client that goes to where nobody can follow, or into what is provided."""
        for name, kind in function.kinds.items():
            where = function.module.place(function.parameters[name])
            for contract in self._clients(handler.service, kind, set()):
                wanted = () if contract.name in used else sorted(contract.operations)
                for call in filter(None, (calls.get((contract.service, operation)) for operation in wanted)):
                    yield Site(handler, call, where, certain=False)

    def _clients(self, service: Service, kind: Type, seen: set[str]) -> Iterator[Contract]:
        """List the contracts that a parameter is, or that what provides it asks for."""
        contract = self._source.contract(kind.name)
        if contract is not None:
            yield contract
        provider = None if kind.name in seen else self.provider(service, kind.name)
        for inner in provider.kinds.values() if provider else ():
            yield from self._clients(service, inner, {*seen, kind.name})

    def _providers(self, service: Service) -> Mapping[str, Function]:
        """Map the types that a service provides to the functions that do."""
        if service.name not in self._provided:
            marked = self._source.marked(f"{service.entry.replace(':', '.')}.provide")
            found = [self._source.named(name) for name in marked]
            self._provided[service.name] = {
                given(kind_of(function.module, function.node.returns)): function for function in found if function
            }
        return self._provided[service.name]

    def _elsewhere(self, found: Mapping[Handler, tuple[Site, ...]]) -> Iterator[Site]:
        """List what is called in no handler; what the framework itself calls when it starts is left out."""
        seen = {(site.handler.service.name, site.callee) for sites in found.values() for site in sites}
        for service in self._system.services:
            for call in service.calls:
                callee = Operation(call.service, call.endpoint)
                if (service.name, callee) not in seen and not call.endpoint.startswith(LENT):
                    where = call.source or service.source
                    handler = Handler(service, "work", callee.endpoint, where, self._source.function(where))
                    yield Site(handler, call, self._source.place_of(where), certain=False)

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
            yield from _step(service, saga.name, step, source)
    for schedule in service.schedules:
        yield Handler(service, "schedule", schedule.name, schedule.source, source.function(schedule.source))


def _step(service: Service, saga: str, step: Step, source: Source) -> Iterator[Handler]:
    function = source.function(step.source)
    yield Handler(service, "step", f"{saga}.{step.name}", step.source, function, step=step)
    if step.compensation and function and function.owner:
        undoing = source.named(f"{function.module.name}.{function.owner.name}.{step.compensation}")
        where = f"{function.module.path}:{undoing.line}" if undoing else step.source
        yield Handler(service, "compensation", f"{saga}.{step.compensation}", where, undoing, step=step)
