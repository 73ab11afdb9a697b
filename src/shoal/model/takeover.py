"""Who answers each route of an old application now: itself, the service that takes it over, or both."""

from shoal.errors import DeclarationError
from shoal.model.data import Data
from shoal.model.legacy import LegacyRoute, require_comparable, turned
from shoal.model.service import Method, shape
from shoal.model.system import System
from shoal.model.target import Target


class Takeover(Data, frozen=True, kw_only=True):
    """One route of an old application, as it stands now."""

    application: str
    route: LegacyRoute
    """With the state, weight and sample that hold now."""
    service: str = ""
    """Who declares the same method and path for the outside; empty while nobody does."""
    endpoint: str = ""

    @property
    def method(self) -> Method:
        """HTTP method."""
        return self.route.method

    @property
    def path(self) -> str:
        """Path template."""
        return self.route.path


def takeovers(system: System, target: Target) -> tuple[Takeover, ...]:
    """Say for each route of old applications who answers it on `target`.

    Raises:
        DeclarationError: A route is to be compared or shifted, and no service declares it.
    """
    routes = {
        (endpoint.method, shape(endpoint.path)): (service.name, endpoint.name)
        for service in system.services
        for endpoint in service.endpoints
        if endpoint.exposed
    }
    found = []
    for application in system.gateway.legacy:
        for declared in application.routes:
            route = turned(declared, target.turns.get(declared.name))
            service, endpoint = routes.get((route.method, shape(route.path)), ("", ""))
            _check(route, service)
            found.append(Takeover(application=application.name, route=route, service=service, endpoint=endpoint))
    return tuple(found)


def _check(route: LegacyRoute, service: str) -> None:
    if route.state != "record" and not service:
        raise DeclarationError(
            f"no service takes over {route.method} {route.path} ({route.name}), so it cannot be in {route.state}",
            hint="declare the same method and path on a service, for the outside (access=anyone, signed_in, ...)",
            where=route.source,
        )
    if route.state == "shadow":
        require_comparable(route)
