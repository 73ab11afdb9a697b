"""Who calls whom, turned round: firewalls are opened on the side of whoever is called. Pure."""

from collections.abc import Mapping

from shoal.model.plan import Plan


def callers_of(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """Return service → services that call it, by name."""
    found: dict[str, set[str]] = {}
    for service in plan.services:
        for call in service.calls:
            found.setdefault(call.service, set()).add(service.name)
    return {name: tuple(sorted(callers)) for name, callers in found.items()}
