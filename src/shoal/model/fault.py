"""What is made to go wrong on purpose between a caller and a service. Pure data."""

import re

from shoal.errors import DeclarationError
from shoal.model.data import Data
from shoal.model.plan import GATEWAY, Plan

LONGEST = 3600.0
"""Most seconds of delay."""

_EDGE = re.compile(r"\s*([a-z0-9-]+)\s*(?:→|->|:)\s*([a-z0-9-]+)(?:\.([A-Za-z_]\w*))?\s*")


class Fault(Data, frozen=True, kw_only=True):
    """Requests of one caller to one service that are late, or answered by an error instead of the service."""

    caller: str
    """A service, or ``gateway``."""
    callee: str
    endpoint: str = ""
    """One operation; every one that the caller may call when empty."""
    delay: float = 0.0
    """Seconds by which they are late."""
    abort: int = 0
    """Status that answers them; 0 sends them on."""
    percent: float = 100.0
    """Share of the requests that it strikes."""

    def __post_init__(self) -> None:
        """Refuse a fault that does nothing, and one that no request could have."""
        if not 0 <= self.delay <= LONGEST or (self.abort and not 200 <= self.abort <= 599):
            raise DeclarationError(
                f"a delay of {self.delay:g} s and an answer of {self.abort} are no fault",
                hint=f"use a delay of up to {LONGEST:g} s, and a status of 200 to 599",
            )
        if not self.delay and not self.abort:
            raise DeclarationError(
                f"the fault {self.edge} does nothing", hint="give it a delay or a status to abort by"
            )
        if not 0 < self.percent <= 100:
            raise DeclarationError(f"{self.percent:g} percent of the requests", hint="use more than 0 and at most 100")

    @property
    def edge(self) -> str:
        """Write whom it concerns, as people do."""
        return f"{self.caller}→{self.callee}" + (f".{self.endpoint}" if self.endpoint else "")

    @property
    def spelled(self) -> str:
        """Write whom it concerns as a shell takes it, without quotes."""
        return self.edge.replace("→", ":")


class Edge(Data, frozen=True, kw_only=True):
    """One declared way between a caller and a service, or one operation on it."""

    caller: str
    callee: str
    endpoint: str = ""


def read_edge(text: str) -> Edge:
    """Read ``orders→payments``, ``orders->payments`` or ``orders:payments``, perhaps with ``.endpoint``."""
    found = _EDGE.fullmatch(text)
    if found is None:
        raise DeclarationError(
            f"{text!r} names no way between a caller and a service", hint="write caller:callee, such as orders:payments"
        )
    return Edge(caller=found[1], callee=found[2], endpoint=found[3] or "")


def edges(plan: Plan) -> dict[tuple[str, str], tuple[str, ...]]:
    """List who may call whom through a proxy, and the operations: those of the gateway first."""
    found: dict[tuple[str, str], list[str]] = {}
    for route in plan.routes:
        found.setdefault((GATEWAY, route.service), []).append(route.endpoint)
    for service in plan.services if plan.target.mesh != "off" else ():
        for call in service.calls:
            found.setdefault((service.name, call.service), []).append(call.endpoint)
    return {edge: tuple(sorted(set(endpoints))) for edge, endpoints in found.items()}


def struck(plan: Plan, edge: Edge | Fault) -> tuple[str, ...]:
    """List the operations that a fault on this way strikes.

    Raises:
        DeclarationError: The target lets nobody strike, or nobody goes that way; the hint names who is known.
    """
    if not plan.target.faults:
        raise DeclarationError(
            f"target {plan.target.name} has no faults on purpose", hint="strike a system that `shoal run` has started"
        )
    known = edges(plan)
    callers = {caller for caller, _ in known}
    names = [*(s.name for s in plan.services), GATEWAY]
    for name in (edge.caller, edge.callee):
        if name not in names:
            raise DeclarationError(f"there is no service {name!r}", hint=f"services: {', '.join(names)}")
    endpoints = known.get((edge.caller, edge.callee), ())
    if not endpoints:
        callees = sorted(callee for caller, callee in known if caller == edge.caller)
        hint = f"it calls: {', '.join(callees)}" if callees else f"callers are: {', '.join(sorted(callers))}"
        raise DeclarationError(f"{edge.caller} does not call {edge.callee}", hint=hint)
    if edge.endpoint and edge.endpoint not in endpoints:
        raise DeclarationError(
            f"{edge.caller} does not call {edge.callee}.{edge.endpoint}", hint=f"it calls: {', '.join(endpoints)}"
        )
    return (edge.endpoint,) if edge.endpoint else endpoints
