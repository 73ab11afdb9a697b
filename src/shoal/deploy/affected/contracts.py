"""Who relies on a contract that has changed: consumers of an event, callers of an operation. Pure."""

from collections.abc import Iterator

from shoal.deploy.affected.answer import TESTS, Reason
from shoal.deploy.affected.change import Change
from shoal.model import contracts
from shoal.model.change import Change as Difference
from shoal.model.evolution import evolve
from shoal.model.service import Service, shape
from shoal.model.system import System

Found = Iterator[tuple[str, Reason]]
"""Service, and why it is affected."""


def relying(system: System, change: Change) -> Found:
    """Tell who relies on what has changed between the contracts' files of the revision and what is declared now.

    Of a service without such files nothing can be compared. There, whoever relies on an event or an operation is
    affected when the file that declares it has changed.

    Raises:
        ContractError: A file of the revision is no contract.
    """
    locked = contracts.read(change.contracts)
    known = {event.service for event in locked.events} | {service.name for service in locked.services}
    told: set[tuple[str, str]] = set()
    for difference in evolve(locked, system):
        if difference.service in known and difference.rule != "added":
            for service, reason in _relying(system, difference):
                if (service, reason.path) not in told:  # the first is the one that breaks most
                    told.add((service, reason.path))
                    yield service, reason
    yield from _by_declaration(system, change, known)
    for path in change.paths:
        yield from _by_file(system, change, path)


def _relying(system: System, difference: Difference) -> Found:
    at = f" at {difference.path}" if difference.path else ""
    where = f" ({difference.where})" if difference.where else ""
    for service in system.services:
        if service.name == difference.service:
            continue
        if difference.contract in consumed(service):
            told = f"consumes {difference.contract}, whose schema changed{at}: {difference.message}{where}"
            yield service.name, Reason(kind="event", path=difference.contract, told=told, needs=TESTS)
        asked = {
            _route(difference.contract),
            _route(difference.new if difference.rule == "route" else difference.contract),
        }
        if asked & called(system, service, difference.service):
            told = (
                f"calls {difference.contract} of {difference.service}, which changed{at}: {difference.message}{where}"
            )
            yield service.name, Reason(kind="operation", path=difference.contract, told=told, needs=TESTS)


def _by_declaration(system: System, change: Change, known: set[str]) -> Found:
    changed = set(change.paths)
    for owner in system.services:
        if owner.name in known:
            continue
        for event in owner.publishes:
            file = event.source.rpartition(":")[0]
            if file in changed:
                told = f"consumes {event.id}, declared in {file}, which changed; its schema is in no contract's file"
                reason = Reason(kind="event", path=event.id, told=told, needs=TESTS)
                yield from ((s.name, reason) for s in system.services if s is not owner and event.id in consumed(s))
        for endpoint in owner.endpoints:
            file, title = endpoint.source.rpartition(":")[0], f"{endpoint.method} {endpoint.path}"
            if file in changed:
                told = f"calls {title} of {owner.name}, declared in {file}, which changed; it is in no contract's file"
                reason = Reason(kind="operation", path=title, told=told, needs=TESTS)
                yield from ((s.name, reason) for s in system.services if _calls(s, owner.name, endpoint.name))


def _by_file(system: System, change: Change, path: str) -> Found:
    """Tell who relies on a file of contracts that has changed itself: be it out of date, it is what others read."""
    inside = path.removeprefix(f"{change.folder}/")
    owner, _, rest = inside.partition("/")
    if inside == path or not rest:
        return
    told = f"owns the contract {path}, which changed"
    yield owner, Reason(kind="contract", path=path, told=told, needs=TESTS)
    for service in system.services:
        if rest.startswith("events/") and f"{owner}.{rest.removeprefix('events/').removesuffix('.json')}" in consumed(
            service
        ):
            told = f"consumes the event of {path}, which changed"
        elif rest == "http.json" and any(call.service == owner for call in service.calls):
            told = f"calls {owner}, whose contract {path} changed"
        else:
            continue
        if service.name != owner:
            yield service.name, Reason(kind="contract", path=path, told=told, needs=TESTS)


def consumed(service: Service) -> frozenset[str]:
    """List the ids of every version of every event that reaches a service."""
    heard = {event for subscription in service.subscriptions for event in subscription.heard}
    return frozenset(heard | {event for projection in service.projections for event in projection.events})


def called(system: System, service: Service, owner: str) -> frozenset[str]:
    """List the operations of another service that a service calls: ``GET /prices``, under each of their paths."""
    callee = next((s for s in system.services if s.name == owner), None)
    if callee is None:
        return frozenset()
    endpoints = (callee.endpoint(call.endpoint) for call in service.calls if call.service == owner)
    return frozenset(_route(f"{e.method} {path}") for e in endpoints if e for path in (e.path, e.public))


def _route(title: str) -> str:
    """Forget what the parameters of an operation's path are called."""
    method, _, path = title.partition(" ")
    return f"{method} {shape(path)}"


def _calls(service: Service, owner: str, endpoint: str) -> bool:
    return any((call.service, call.endpoint) == (owner, endpoint) for call in service.calls)
