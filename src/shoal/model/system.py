"""What a whole system is: its services, its gateway and what lies outside."""

from functools import cached_property
from typing import Literal

import msgspec

from shoal.errors import DeclarationError
from shoal.model.cors import Cors
from shoal.model.data import Data
from shoal.model.issuers import CONSUMERS, Consumer, OpenId
from shoal.model.legacy import Legacy, check_legacy
from shoal.model.names import check_label
from shoal.model.security import SecurityHeaders
from shoal.model.sequences import check_sequences
from shoal.model.service import Service, shape
from shoal.model.tls import Tls
from shoal.model.versioning import Versions


class Issuer(Data, frozen=True, kw_only=True):
    """Who signs the tokens that the gateway and the services accept."""

    service: str
    """The service of this system that signs them."""
    audience: str
    """Required ``aud`` claim."""
    name: str
    """Required ``iss`` claim."""

    def __post_init__(self) -> None:
        """Refuse claims that would be met by nothing said."""
        if not self.audience or not self.name:
            raise DeclarationError(
                f"the issuer {self.service} has no audience or no name",
                hint="declare Issuer(service, audience=...)",
            )


class Gateway(Data, frozen=True, kw_only=True):
    """The one door from outside."""

    issuer: Issuer | None = None
    issuers: tuple[OpenId, ...] = ()
    """Issuers outside the system whose tokens are accepted as well."""
    consumers: tuple[Consumer, ...] = ()
    """Programs that call with keys."""
    legacy: tuple[Legacy, ...] = ()
    """Old applications whose paths services take over one by one."""
    port: int = 8000
    """Port on the laptop."""
    cors: Cors | None = None
    """Which pages of other origins may call it from a browser; None lets none."""
    headers: SecurityHeaders = SecurityHeaders()
    """What every answer tells a browser about itself."""
    versions: Versions = Versions()
    """How clients say which version of an operation they want."""
    tls: Tls | None = None
    """How clients reach it: None is plain text, which a laptop or a balancer before it may take."""

    def __post_init__(self) -> None:
        """Refuse a port that cannot be, and principals that could be taken for each other."""
        if not 1 <= self.port <= 65535:
            raise DeclarationError(f"{self.port} is no port of the gateway", hint="use 1 to 65535")
        own = [] if self.issuer is None else [self.issuer.name]
        for kind, found in (
            ("issuers have the name", [CONSUMERS, *(i.name for i in self.issuers)]),
            ("issuers sign as", [*own, *(i.issuer for i in self.issuers)]),
            ("consumers have the name", [c.name for c in self.consumers]),
        ):
            if twice := next((name for name in found if found.count(name) > 1), ""):
                raise DeclarationError(f"two {kind} {twice!r}", hint="tell them apart, or their principals are one")

    @property
    def verifies(self) -> bool:
        """Whether anybody can be a principal."""
        return self.issuer is not None or bool(self.issuers or self.consumers)


class Sandbox(Data, frozen=True, kw_only=True):
    """A stand-in for an outside system, run beside the services on a laptop and in tests."""

    module: str
    """Run as ``python -m MODULE``; it listens on ``127.0.0.1:$PORT`` and keeps what it must under ``$STATE``."""
    health: str = "/health"


class External(Data, frozen=True, kw_only=True):
    """A system outside ours that services talk to."""

    name: str
    protocol: Literal["http", "smtp"] = "http"
    setting: str
    """Setting by which a service learns its address."""
    sandbox: Sandbox | None = None
    """Stand-in; ``smtp`` needs none, the mailbox stands in."""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a name that no host could have."""
        check_label("external", self.name, where=self.source)


class System(Data, frozen=True, kw_only=True, dict=True):
    """Everything that is declared; refuses what contradicts itself."""

    name: str
    services: tuple[Service, ...]
    gateway: Gateway = Gateway()
    externals: tuple[External, ...] = ()

    def __post_init__(self) -> None:
        """Check names, references, ownership and routes."""
        check_label("system", self.name)
        _check_unique(self)
        _check_events(self)
        _check_calls(self)
        _check_references(self)
        check_sequences(self.services)
        check_legacy(self.gateway.legacy)

    def service(self, name: str) -> Service:
        """Find a service by name, or raise `DeclarationError` with the names that exist."""
        found = self._by_name.get(name)
        if found is None:
            known = ", ".join(s.name for s in self.services)
            raise DeclarationError(f"system {self.name} has no service {name!r}", hint=f"its services are: {known}")
        return found

    @cached_property
    def _by_name(self) -> dict[str, Service]:
        return {s.name: s for s in self.services}

    def producer(self, event: str) -> Service | None:
        """Find the service that publishes an event id."""
        return next((s for s in self.services for e in s.publishes if e.id == event), None)

    def spoken(self, service: Service) -> tuple[str, ...]:
        """List the ids on a service's stream: what it publishes, and older versions that somebody still accepts."""
        accepted = {
            older
            for other in self.services
            for s in other.subscriptions
            for older in s.accepts
            if older.partition(".")[0] == service.name
        }
        return tuple(sorted(accepted | {e.id for e in service.publishes}))


def to_json(system: System) -> bytes:
    """Write a system as JSON; `from_json` gives the equal system back."""
    return msgspec.json.format(msgspec.json.encode(system, order="deterministic"), indent=2)


def from_json(text: bytes) -> System:
    """Read a system from JSON, or raise `DeclarationError` that says where it is malformed."""
    try:
        return msgspec.json.decode(text, type=System)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DeclarationError(
            f"this is not a system: {error}", hint="write it with `shoal describe -o json`"
        ) from error


def _check_unique(system: System) -> None:
    names = [s.name for s in system.services] + [e.name for e in system.externals] + ["gateway"]
    names += [application.name for application in system.gateway.legacy]
    for name in names:
        if names.count(name) > 1:
            raise DeclarationError(f"system {system.name} uses the name {name!r} twice", hint="rename one of them")
    routes: dict[tuple[str, str], str] = {}
    for service in system.services:
        for endpoint in filter(lambda e: e.exposed, service.endpoints):
            route = (endpoint.method, shape(endpoint.public))
            if route in routes:
                raise DeclarationError(
                    f"{endpoint.method} {endpoint.public} of {service.name} is already served by {routes[route]}",
                    hint="two services cannot share one route of the gateway",
                    where=endpoint.source,
                )
            routes[route] = f"{service.name} ({endpoint.source})"


def _check_events(system: System) -> None:
    owners: dict[str, Service] = {}
    for service in system.services:
        for event in service.publishes:
            if event.id in owners:
                raise DeclarationError(
                    f"event {event.id} is published by {owners[event.id].name} and by {service.name}",
                    hint="an event has one owner",
                    where=event.source,
                )
            owners[event.id] = service
    for service in system.services:
        for subscription in service.subscriptions:
            if subscription.event not in owners:
                raise DeclarationError(
                    f"{service.name} subscribes to {subscription.event}, which no service publishes",
                    hint="add the event to its owner's publishes=[...]",
                    where=subscription.source,
                )


def _check_calls(system: System) -> None:
    services = {s.name: s for s in system.services}
    for service in system.services:
        for call in service.calls:
            callee = services.get(call.service)
            if callee is None or callee.endpoint(call.endpoint) is None:
                raise DeclarationError(
                    f"{service.name} calls {call.service}.{call.endpoint}, which does not exist",
                    hint=f"add the service {call.service} to the system, or implement the contract's method there",
                    where=call.source,
                )


def _check_consumers(system: System) -> None:
    known = {consumer.name for consumer in system.gateway.consumers}
    for service in system.services:
        for endpoint in service.endpoints:
            for name in endpoint.access.consumers:
                if name not in known:
                    raise DeclarationError(
                        f"{endpoint.method} {endpoint.path} asks for the consumer {name!r}, which is not declared",
                        hint=f"add it: System(..., gateway=Gateway(consumers=(Consumer(name={name!r}),)))",
                        where=endpoint.source,
                    )


def _check_references(system: System) -> None:
    issuer = system.gateway.issuer
    names = {s.name for s in system.services}
    if issuer is not None and issuer.service not in names:
        raise DeclarationError(f"the issuer {issuer.service!r} is no service of {system.name}", hint="name one of them")
    needs_issuer = [e for s in system.services for e in s.endpoints if e.access.kind == "principal"]
    _check_consumers(system)
    if not system.gateway.verifies and needs_issuer:
        first = needs_issuer[0]
        raise DeclarationError(
            f"{first.method} {first.path} needs a principal, but system {system.name} has no issuer of tokens",
            hint="declare System(..., issuer=Issuer(...)), or access=anyone",
            where=first.source,
        )
    outside = {e.name for e in system.externals}
    for service in system.services:
        for name in service.externals:
            if name not in outside:
                raise DeclarationError(
                    f"{service.name} uses the external {name!r}, which is not declared",
                    hint="add it: System(..., externals=[External(name=..., ...)])",
                    where=service.source,
                )
