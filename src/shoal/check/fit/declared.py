"""Evidence from the model and the source: services, who waits for whom, and what a service falls into by its data."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from shoal.check.fit.evidence import Evidence, History, Money, Pair, Part, Run, Service
from shoal.check.graph import LENT, Handler, Operation, Site
from shoal.check.rules.distributed_monolith import reaches
from shoal.check.subject import Subject
from shoal.model.objectives import Objective
from shoal.model.service import Service as Declared

_KEPT = ("shoal.record", "shoal.aggregate")
_RAW = frozenset({"execute", "fetch"})
"""SQL of the author's own, which may read any table."""


def gathered(
    subject: Subject,
    homes: Mapping[str, str],
    *,
    team: int | None = None,
    history: History | None = None,
    run: Run | None = None,
    money: Money | None = None,
) -> Evidence:
    """Bring together what is declared with what was handed in.

    Args:
        subject: The system, with its source.
        homes: Service → folder or file that is its alone.
        team: People who work on it.
        history: What git knows.
        run: What a run has seen.
        money: What a month costs.
    """
    system = subject.system
    names = [service.name for service in system.services]
    others = len(names) * (len(names) - 1)
    ways = [_way(chain) for chain in subject.graph.chains if chain]
    promised = [o for service in system.services for e in service.endpoints if e.exposed for o in e.objectives]
    promised += [objective for service in system.services for objective in service.objectives]
    return Evidence(
        system=system.name,
        services=tuple(_service(subject, service, homes.get(service.name, "")) for service in system.services),
        pairs=tuple(_pairs(subject)),
        reach=sum(map(len, reaches(subject, names).values())) / others if others else 0.0,
        chain=max(ways, key=lambda way: (len(way), _spent(way, run)), default=()),
        latency=min((o.latency for o in promised if o.latency), default=None),
        team=team,
        history=history,
        run=run,
        money=money,
    )


def _way(chain: Sequence[Site]) -> tuple[str, ...]:
    return (chain[0].handler.service.name, *(site.call.service for site in chain))


def _spent(way: Sequence[str], run: Run | None) -> float:
    """Add what a run has measured between the services of a way."""
    seen = [run.pairs.get(pair) for pair in pairwise(way)] if run else []
    return sum(one.hop for one in seen if one and one.hop)


def _service(subject: Subject, service: Declared, home: str) -> Service:
    handlers = [h for h in subject.graph.handlers if h.service is service and not h.name.startswith(LENT)]
    data = {handler: _data(subject, handler) for handler in handlers}
    unread = sum(kept is None for kept in data.values())
    return Service(
        name=service.name,
        handlers=len(handlers),
        engine=(service.store.production or service.store.engine) if service.store else "",
        availability=_best(service.objectives),
        home=home,
        parts=() if unread else tuple(_parts(subject, {h: kept for h, kept in data.items() if kept})),
        unread=unread,
    )


def _best(objectives: Sequence[Objective]) -> float:
    return max((o.availability for o in objectives), default=0.0)


def _pairs(subject: Subject) -> Iterator[Pair]:
    for (caller, callee), every in subject.graph.between.items():
        sites = [site for site in every if not site.callee.endpoint.startswith(LENT)]
        if caller != callee and sites:
            yield Pair(
                caller=caller,
                callee=callee,
                places=len(sites),
                looped=sum(site.looped for site in sites),
                required=any(not _stands_in(site) for site in sites),
                where=f"{sites[0].where.file}:{sites[0].where.line}",
            )


def _stands_in(site: Site) -> bool:
    return site.call.breaker is not None and bool(site.call.breaker.fallback or site.call.breaker.cached)


def _data(subject: Subject, handler: Handler) -> frozenset[str] | None:
    """Name the classes that a handler may keep: all that it and what it leads to refer to; None where nobody knows."""
    if handler.function is None:
        return None if handler.service.store else frozenset()
    kept = {name for mark in _KEPT for name in subject.source.marked(mark)}
    found: set[str] = set()
    for function, _ in subject.source.reached(handler.function):
        kinds = [name for kind in function.kinds.values() for name in (kind.name, *kind.of)]
        found.update(map(subject.source.origin, [*function.named, *kinds]))
        if any(use.method in _RAW and use.kind.name.startswith("shoal.") for use in function.uses):
            return None
    provided = bool(subject.source.marked(f"{handler.service.entry.replace(':', '.')}.provide"))
    return None if provided and not found & kept else frozenset(found & kept)


def _parts(subject: Subject, data: Mapping[Handler, frozenset[str]]) -> Iterator[Part]:
    """Join handlers that share data, or a saga, until none does."""
    groups: list[tuple[set[Handler], set[str]]] = []
    for handler, kept in data.items():
        bound = {*kept, *([f"saga {handler.name.partition('.')[0]}"] if handler.step else [])}
        touching = [group for group in groups if group[1] & bound]
        groups = [group for group in groups if group not in touching]
        members = {handler}.union(*(group[0] for group in touching))
        groups.append((members, bound.union(*(group[1] for group in touching))))
    files = [_files(subject, members) for members, _ in groups]
    for number, (members, bound) in enumerate(groups):
        others = set[str]().union(*(one for n, one in enumerate(files) if n != number))
        yield Part(
            handlers=tuple(sorted({handler.name for handler in members})),
            data=tuple(sorted(name.rpartition(".")[2] for name in bound if not name.startswith("saga "))),
            callers=tuple(sorted({*_callers(subject, members)} - {handler.service.name for handler in members})),
            files=tuple(sorted(files[number] - others)),
        )


def _files(subject: Subject, members: set[Handler]) -> set[str]:
    functions = [handler.function for handler in members if handler.function]
    return {one.module.shown for function in functions for one, _ in subject.source.reached(function)}


def _callers(subject: Subject, members: set[Handler]) -> Iterator[str]:
    for handler in members:
        if handler.subscription is not None:
            yield handler.subscription.event.partition(".")[0]
        own = Operation(handler.service.name, handler.name)
        for (caller, callee), sites in subject.graph.between.items():
            if callee == own.service and any(site.callee == own for site in sites):
                yield caller
