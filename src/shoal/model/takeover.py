"""Who answers each route of an old application now: itself, the service that takes it over, or both."""

from shoal.errors import DeclarationError
from shoal.model.aliases import aliases
from shoal.model.data import Data
from shoal.model.legacy import LegacyRoute, require_comparable, turned
from shoal.model.service import Endpoint, Method, Service, shape
from shoal.model.system import System
from shoal.model.target import Target
from shoal.model.versioning import NONE, Wanted

Key = tuple[str, str]
"""Method and shape of a path under which clients find an operation."""


class Takeover(Data, frozen=True, kw_only=True):
    """One route of an old application, as it stands now."""

    application: str
    route: LegacyRoute
    """With the state, weight and sample that hold now."""
    service: str = ""
    """Whose endpoint clients find by the same method and path; empty while there is none."""
    endpoint: str = ""

    @property
    def method(self) -> Method:
        """HTTP method."""
        return self.route.method

    @property
    def path(self) -> str:
        """Path template."""
        return self.route.path

    @property
    def key(self) -> Key:
        """What it has in common with the operation that takes it over."""
        return self.method, shape(self.path)


def takeovers(system: System, target: Target) -> tuple[Takeover, ...]:
    """Say for each route of old applications who answers it on `target`.

    Raises:
        DeclarationError: A route is to be compared or shifted, and no service declares it.
    """
    public = _public(system) if system.gateway.legacy else {}
    found = []
    for application in system.gateway.legacy:
        for declared in application.routes:
            route = turned(declared, target.turns.get(declared.name))
            service, endpoint = public.get((route.method, shape(route.path)), ("", ""))
            _check(route, service)
            found.append(Takeover(application=application.name, route=route, service=service, endpoint=endpoint))
    return tuple(found)


def _public(system: System) -> dict[Key, tuple[str, str]]:
    """Find every endpoint by what clients ask for; a path without version leads to the version that is meant there."""
    found = {key: names for key, names, wanted in aliases(system, _named) if wanted.value == NONE}
    exposed = [(s.name, e) for s in system.services for e in s.endpoints if e.exposed]
    return found | {(e.method, shape(e.public)): (service, e.name) for service, e in exposed}


def _named(service: Service, endpoint: Endpoint, path: str, wanted: Wanted) -> tuple[Key, tuple[str, str], Wanted]:
    return (endpoint.method, shape(path)), (service.name, endpoint.name), wanted


def _check(route: LegacyRoute, service: str) -> None:
    if route.state != "record" and not service:
        raise DeclarationError(
            f"no service takes over {route.method} {route.path} ({route.name}), so it cannot be in {route.state}",
            hint="declare the same method and path on a service, for the outside (access=anyone, signed_in, ...)",
            where=route.source,
        )
    if route.state == "shadow":
        require_comparable(route)
