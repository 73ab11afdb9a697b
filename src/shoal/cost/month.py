"""How often each service is asked in a month: by the door, and by the calls of others. Pure."""

from collections.abc import Iterable
from decimal import Decimal

from shoal.cost.usage import ZERO, Range, Usage
from shoal.model.plan import Plan


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

    @property
    def requests(self) -> Range:
        """At the door."""
        return sum(self.endpoints.values(), ZERO)

    def of(self, service: str) -> Range:
        """Count the requests that reach a service, by the door or by another's call."""
        return self._asked.get(service, ZERO)

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


def _less(whole: Range, parts: Iterable[Range]) -> Range:
    taken = sum(parts, ZERO)
    left = [max(Decimal(0), a - b) for a, b in ((whole.low, taken.low), (whole.expected, taken.expected))]
    high = max(Decimal(0), whole.high - taken.high)
    return Range(low=left[0], expected=max(left), high=max(*left, high))
