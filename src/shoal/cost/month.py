"""How often each service is asked in a month: by the door, and by the calls of others. Pure."""

import difflib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property

import msgspec

from shoal.cost.usage import ZERO, Range, Usage, Work, exactly
from shoal.errors import DeclarationError
from shoal.model.plan import Plan

HOURS = Decimal(730)
"""Hours of a month, as the calculators of the clouds count."""

MILLION = Decimal(1_000_000)
ROOM = Decimal("1.5")
"""Times the memory that a service held at most, it should have."""

GB = Decimal(1024**3)
"""Bytes of what bills call a GB."""


class Month:
    """A month of a system: how often each service is asked."""

    def __init__(self, plan: Plan, usage: Usage) -> None:
        """Share requests among operations: those that are named, then the others alike."""
        self.usage, self.plan = usage, plan
        keys = [f"{route.method} {route.path}" for route in plan.routes]
        named = {key: usage.endpoints[key] for key in keys if key in usage.endpoints}
        others = [key for key in keys if key not in named]
        rest = _less(usage.requests, named.values())
        share = rest * (Decimal(1) / len(others)) if others else ZERO
        self.endpoints = {key: named.get(key, share) for key in keys}
        self._own = self._at_the_door()
        self._asked = self._with_calls()

    @cached_property
    def requests(self) -> Range:
        """At the door."""
        return sum(self.endpoints.values(), ZERO)

    def of(self, service: str) -> Range:
        """Count the requests that reach a service, by the door or by another's call."""
        known = self._known(service).asked
        return self._asked.get(service, ZERO) if known is None else self.requests * known

    def reads(self, service: str) -> Range:
        """Count what a service reads from a store that is billed by request."""
        known = self._known(service).reads
        return self.of(service) * self.usage.reads_per_request if known is None else self.requests * known

    def writes(self, service: str) -> Range:
        """Count what a service writes to a store that is billed by request."""
        known = self._known(service).writes
        return self.of(service) * self.usage.writes_per_request if known is None else self.requests * known

    def object_reads(self, service: str) -> Range:
        """Count the objects that a service reads from its bucket."""
        known = self._known(service).object_reads
        return self.of(service) * self.usage.object_reads if known is None else self.requests * known

    def object_writes(self, service: str) -> Range:
        """Count the objects that a service writes into its bucket."""
        known = self._known(service).object_writes
        return self.of(service) * self.usage.object_writes if known is None else self.requests * known

    def logged(self, service: str) -> Range:
        """Measure the lines of a service's log, in GB."""
        known = self._known(service).log_bytes
        each = self.of(service) * self.usage.log_bytes if known is None else self.requests * known
        return each * (1 / GB)

    @property
    def answered(self) -> Range:
        """What leaves for clients, in GB."""
        return self.requests * (self.usage.answer_bytes / GB)

    @property
    def outside(self) -> Range:
        """What leaves for outside systems, in GB."""
        return self.requests * (self.usage.outside_bytes / GB)

    @property
    def own(self) -> Range:
        """What goes to the cloud's own interfaces, in GB."""
        return self.requests * (self.usage.own_bytes / GB)

    def between(self, zones: int) -> Mapping[str, Range]:
        """Say what leaves a zone by the calls of each service, in GB: each call finds a task in any of the zones.

        Calls are as many as measured, or each that is declared, once for each request that reaches the caller.
        """
        crossing = self.usage.call_bytes * (zones - 1) / zones / GB
        found = {}
        for caller in self.plan.services:
            declared = len({call.service for call in caller.calls})
            known = self._known(caller.name).calls
            calls = self.of(caller.name) * Decimal(declared) if known is None else self.requests * known
            if declared or calls.high:
                found[caller.name] = calls * crossing
        return found

    @property
    def events(self) -> Range:
        """Events that are published; each is heard by every subscriber of its stream."""
        return self.requests * self.usage.events_per_request

    def tasks(self, service: str, *, least: int, most: int, processors: Decimal, busy: int) -> Range:
        """Say how many tasks of a service run, on average over the month.

        Args:
            service: Its name.
            least: Tasks at rest.
            most: Tasks under load.
            processors: Of one task.
            busy: Percent of them from which on there are more tasks.
        """
        known = self._known(service).cpu
        if known is None:
            return exactly(least) + self.usage.busy * Decimal(most - least)
        needed = self.requests * (known / (HOURS * 3600 * processors * busy / 100))
        between = (min(Decimal(most), max(Decimal(least), one)) for one in (needed.low, needed.expected, needed.high))
        return Range(**dict(zip(("low", "expected", "high"), between, strict=True)))

    def held(self, service: str) -> Decimal | None:
        """Say how many MiB a service held at most; None where nothing has measured it."""
        return self._known(service).memory

    @property
    def measured(self) -> bool:
        """Whether anything is known of single services."""
        return bool(self.usage.services)

    def _known(self, service: str) -> Work:
        return self.usage.services.get(service, _NOTHING)

    def _at_the_door(self) -> dict[str, Range]:
        found: dict[str, Range] = {}
        for route in self.plan.routes:
            asked = self.endpoints[f"{route.method} {route.path}"]
            found[route.service] = found.get(route.service, ZERO) + asked
        return found

    def _with_calls(self) -> dict[str, Range]:
        """Add what callers ask: each of their own requests asks everyone whom they call once."""
        found = dict(self._own)
        for caller in self.plan.services:
            asked = self._own.get(caller.name, ZERO)
            for called in {call.service for call in caller.calls}:
                found[called] = found.get(called, ZERO) + asked
        return found


def check(plan: Plan, usage: Usage, *, where: str) -> None:
    """Refuse usage of what a system does not have, which would count as nothing; raises `DeclarationError`."""
    keys = [f"{route.method} {route.path}" for route in plan.routes]
    services = [service.name for service in plan.services]
    for kind, said, has in (("endpoints", [*usage.endpoints], keys), ("services", [*usage.services], services)):
        if odd := next((name for name in said if name not in has), None):
            near = difflib.get_close_matches(odd, has, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(has) or 'none'}"
            raise DeclarationError(f"[{kind}] has {odd!r}, which the system does not", where=where, hint=hint)


def known(plan: Plan, usage: Usage) -> Usage:
    """Leave out what a system does not have, or has no more."""
    keys = {f"{route.method} {route.path}" for route in plan.routes}
    services = {service.name for service in plan.services}
    return msgspec.structs.replace(
        usage,
        endpoints={name: one for name, one in usage.endpoints.items() if name in keys},
        services={name: one for name, one in usage.services.items() if name in services},
    )


_NOTHING = Work()


def _less(whole: Range, parts: Iterable[Range]) -> Range:
    taken = sum(parts, ZERO)
    left = [max(Decimal(0), a - b) for a, b in ((whole.low, taken.low), (whole.expected, taken.expected))]
    high = max(Decimal(0), whole.high - taken.high)
    return Range(low=left[0], expected=max(left), high=max(*left, high))
