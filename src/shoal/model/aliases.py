"""Paths without a version: which version answers there, by what the request's header says."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from shoal.errors import DeclarationError
from shoal.model.service import Endpoint, Service, shape
from shoal.model.system import System
from shoal.model.versioning import NONE, UNKNOWN, Wanted

Family = list[tuple[Service, Endpoint]]
"""The versions of one operation, the lowest first."""

R_co = TypeVar("R_co", covariant=True)


class Maker(Protocol[R_co]):
    """Makes what leads from a path to an endpoint."""

    def __call__(self, service: Service, endpoint: Endpoint, path: str, wanted: Wanted) -> R_co:
        """Lead requests for `path` that want this to an endpoint."""
        ...


def aliases(system: System, make: Maker[R_co]) -> Iterable[R_co]:
    """Yield every way from a path without version to a version; of those of one path the first that fits is meant.

    Raises:
        DeclarationError: Versions of one operation are served by different services.
    """
    taken = {(e.method, shape(e.public)) for s in system.services for e in s.endpoints if e.exposed}
    for (method, path), family in _families(system).items():
        header = system.gateway.versions.header
        for service, endpoint in family:
            wanted = Wanted(header=header, value=str(_number(endpoint)))
            yield make(service, endpoint, _path(endpoint), wanted)
        service, endpoint = _default(family, system.gateway.versions.default)
        unknown = Wanted(header=header, value=UNKNOWN)
        yield make(service, endpoint, _path(endpoint), unknown)
        if (method, path) not in taken:
            wanted = Wanted(header=header, value=NONE)
            yield make(service, endpoint, _path(endpoint), wanted)


def unnamed(system: System) -> dict[tuple[str, str], Wanted]:
    """Say for each method and path that has versions what a request says that names none of them."""
    wanted = Wanted(header=system.gateway.versions.header, value=NONE)
    return dict.fromkeys(_families(system), wanted)


def _families(system: System) -> dict[tuple[str, str], Family]:
    found: dict[tuple[str, str], Family] = {}
    for service in system.services:
        for endpoint in service.endpoints:
            if endpoint.exposed and _number(endpoint):
                family = found.setdefault((endpoint.method, shape(_path(endpoint))), [])
                family.append((service, endpoint))
                if family[0][0] is not service:
                    raise DeclarationError(
                        f"{endpoint.method} {_path(endpoint)} has versions in {family[0][0].name} and {service.name}",
                        hint="keep the versions of one operation in one service",
                        where=endpoint.source,
                    )
    return {key: sorted(family, key=lambda each: _number(each[1])) for key, family in found.items()}


def _default(family: Family, wanted: int) -> tuple[Service, Endpoint]:
    return next((each for each in family if _number(each[1]) == wanted), family[0])


def _number(endpoint: Endpoint) -> int:
    return endpoint.edge.version.number if endpoint.edge.version else 0


def _path(endpoint: Endpoint) -> str:
    return endpoint.edge.version.path if endpoint.edge.version else endpoint.path
