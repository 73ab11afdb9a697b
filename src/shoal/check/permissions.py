"""What services may do by their declarations, what a run saw them do, and the difference as text. Pure."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from shoal.check.graph import LENT
from shoal.check.observed import Observed, SeenCall
from shoal.model.plan import GATEWAY
from shoal.model.system import System

Act = Literal["call", "publish", "hear"]


class Permission(NamedTuple):
    """One thing that one service may do."""

    who: str
    act: Act
    what: str
    """``products.prices`` of a call, the name of an external, ``orders.placed.v1`` of an event."""

    def __str__(self) -> str:
        """Spell it as a line of a policy."""
        return f"allow {self.who} to {self.act} {self.what}"


def declared(system: System) -> Mapping[Permission, str]:
    """Map what is declared to where that is, in the order of the system."""
    found: dict[Permission, str] = {}
    for service in system.services:
        for endpoint in service.endpoints:
            if endpoint.exposed:
                found[Permission(GATEWAY, "call", f"{service.name}.{endpoint.name}")] = endpoint.source
        for call in service.calls:
            found[Permission(service.name, "call", f"{call.service}.{call.endpoint}")] = call.source or service.source
        for external in service.externals:
            found[Permission(service.name, "call", external)] = service.source
        for event in system.spoken(service):
            where = next((own.source for own in service.publishes if own.id == event), service.source)
            found[Permission(service.name, "publish", event)] = where
        for subscription in service.subscriptions:
            for event in subscription.heard:
                found[Permission(service.name, "hear", event)] = subscription.source
    return found


def used(system: System, observed: Observed) -> set[Permission]:
    """List what a run saw."""
    found = {Permission(call.caller, "call", callee(system, call)) for call in observed.calls}
    for event in observed.events:
        found.add(Permission(event.producer, "publish", event.event))
        if event.consumer:
            found.add(Permission(event.consumer, "hear", event.event))
    return found


def callee(system: System, call: SeenCall) -> str:
    """Say what was called: an operation by its name, also where only its method and path were seen; else a name."""
    service = next((one for one in system.services if one.name == call.callee), None)
    if service is None:
        return call.callee
    for endpoint in service.endpoints:
        if call.endpoint in (
            endpoint.name,
            f"{endpoint.method} {endpoint.path}",
            f"{endpoint.method} {endpoint.public}",
        ):
            return f"{service.name}.{endpoint.name}"
    return f"{service.name}.{call.endpoint}"


def busy(observed: Observed) -> set[str]:
    """List the services that did something; of the others nothing follows."""
    found = {one.service for one in observed.operations} | {one.caller for one in observed.calls}
    return found.union(one.consumer for one in observed.events) - {GATEWAY, ""}


def unused(system: System, observed: Observed) -> Iterator[Permission]:
    """List what services that did something were allowed to do, and never did.

    Left out are what the gateway may call, which is for others to ask for, and what the framework itself declares.
    """
    seen, at_work = used(system, observed), busy(observed)
    for permission in declared(system):
        lent = permission.act == "call" and permission.what.partition(".")[2].startswith(LENT)
        if permission.who in at_work and permission not in seen and not lent:
            yield permission


def policy(system: System, observed: Observed) -> str:
    """Write what is declared against what of it was used, as a unified diff; empty where all of it was.

    What was done without being declared is not in it: declare it first, or stop doing it.
    """
    gone = set(unused(system, observed))
    before = sorted(map(str, declared(system)))
    after = sorted(str(permission) for permission in declared(system) if permission not in gone)
    lines = difflib.unified_diff(
        before, after, f"{system.name}: declared", f"{system.name}: used in {observed.run}", n=1
    )
    return "\n".join(line.rstrip("\n") for line in lines)
