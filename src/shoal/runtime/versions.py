"""Which version of an operation a request means, in a process that is its own gateway."""

from collections.abc import Iterable

from shoal.errors import Problem
from shoal.model.plan import Plan, Route
from shoal.model.service import shape
from shoal.model.versioning import UNKNOWN

Group = tuple[Route, ...]
"""What one method and path may lead to; the first that fits is meant."""


def groups(plan: Plan) -> list[tuple[str, str, Group]]:
    """Gather the routes of the gateway by method and path."""
    found: dict[tuple[str, str], list[Route]] = {}
    for route in (*plan.aliases, *plan.routes):
        found.setdefault((route.method, shape(route.path)), []).append(route)
    return [(same[0].method, same[0].path, tuple(same)) for same in found.values()]


def choose(group: Group, headers: Iterable[tuple[bytes, bytes]]) -> Route:
    """Choose by the request's headers; a version that there is not is refused with 400."""
    if len(group) == 1 and group[0].wanted is None:
        return group[0]
    said = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    for route in group:
        if route.wanted is None or (route.wanted.value != UNKNOWN and route.wanted.met(said.get(route.wanted.header))):
            return route
        if route.wanted.met(said.get(route.wanted.header)):
            break
    raise Problem(400, "bad-request", "there is no such version")
