"""An old application whose paths are taken over one by one: M. Fowler's strangler fig."""

import re
from typing import Literal

import msgspec

from shoal.errors import DeclarationError
from shoal.model.data import Data
from shoal.model.names import check_label
from shoal.model.service import Method, Policy, shape

State = Literal["record", "shadow", "shift", "done"]
"""``record``: the old application answers, and is counted. ``shadow``: it answers, and a sample of the requests goes to
both and is compared. ``shift``: both answer, by weight. ``done``: the new service answers."""

SAFE: tuple[Method, ...] = ("GET",)
"""Methods that change nothing (RFC 9110, 9.2.1) and may so be asked a second time."""

_POINTER = re.compile(r"(/[^/]+)+")


class LegacyRoute(Data, frozen=True, kw_only=True):
    """One operation of an old application. The service that declares the same method and path takes it over."""

    name: str
    """DNS label; names it in ``shoal strangle``."""
    method: Method = "GET"
    path: str
    """Path template, as an endpoint has it."""
    state: State = "record"
    """Where it begins; ``shoal strangle set`` moves it on."""
    weight: float = 0.0
    """Percent of the requests that the new service answers in the state ``shift``."""
    sample: float = 100.0
    """Percent of the requests that are compared in the state ``shadow``."""
    idempotent: bool = False
    """Whether asking twice does no harm in both applications, although the method is not safe."""
    ignore: tuple[str, ...] = ()
    """Parts of the answer that may differ, as JSON pointers (RFC 6901); ``*`` stands for any one key or index."""
    policy: Policy = Policy()
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be compared or divided."""
        check_label("legacy route", self.name, where=self.source)
        for name in ("weight", "sample"):
            if not 0.0 <= getattr(self, name) <= 100.0:
                raise DeclarationError(
                    f"{name}={getattr(self, name):g} of {self.name} is no percentage", hint="0 to 100"
                )
        if self.state == "shadow":
            require_comparable(self)
        for pointer in self.ignore:
            if not _POINTER.fullmatch(pointer):
                raise DeclarationError(f"{pointer!r} is no JSON pointer", hint="such as /links/self", where=self.source)


class Legacy(Data, frozen=True, kw_only=True):
    """An old application behind the gateway, and the paths of it that are still in use."""

    name: str
    module: str = ""
    """On a laptop, run as ``python -m MODULE``: it listens on ``127.0.0.1:$PORT`` and keeps its state in ``$STATE``."""
    port: int = 0
    """Where it listens already, on loopback, when Shoal does not run it."""
    health: str = "/health"
    routes: tuple[LegacyRoute, ...]
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse an application that nobody can find."""
        check_label("legacy application", self.name, where=self.source)
        if bool(self.module) == bool(self.port):
            raise DeclarationError(
                f"the legacy application {self.name} needs a module to run, or a port where it listens",
                hint="give one of the two: Legacy(..., module=...) or Legacy(..., port=...)",
                where=self.source,
            )


class Turn(Data, frozen=True, kw_only=True):
    """Where one route of an old application stands now."""

    state: State
    weight: float = 0.0
    sample: float = 100.0


def turned(route: LegacyRoute, turn: Turn | None) -> LegacyRoute:
    """Return the route as it stands now."""
    if turn is None:
        return route
    return msgspec.structs.replace(route, state=turn.state, weight=turn.weight, sample=turn.sample)


def comparable(route: LegacyRoute) -> bool:
    """Say whether a request may be asked a second time."""
    return route.method in SAFE or route.idempotent


def require_comparable(route: LegacyRoute) -> None:
    """Refuse to ask twice what may change something twice."""
    if not comparable(route):
        raise DeclarationError(
            f"{route.method} {route.path} ({route.name}) cannot be shadowed: it may change something twice",
            hint="declare idempotent=True if asking both applications does no harm, or go from record to shift",
            where=route.source,
        )


def check_legacy(applications: tuple[Legacy, ...]) -> None:
    """Refuse routes that two applications claim, or two routes of one name."""
    seen: dict[tuple[str, str], str] = {}
    names: set[str] = set()
    for application in applications:
        for route in application.routes:
            key = (route.method, shape(route.path))
            if key in seen or route.name in names:
                raise DeclarationError(
                    f"the legacy route {route.name} ({route.method} {route.path}) is declared twice",
                    hint=f"it is also {seen.get(key, 'the name of another one')}",
                    where=route.source,
                )
            seen[key] = f"{application.name}.{route.name}"
            names.add(route.name)
