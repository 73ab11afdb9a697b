"""What one service is: its endpoints, events, calls and stores, as pure data."""

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from shoal.errors import DeclarationError
from shoal.model.access import Access as Access  # noqa: PLC0414 - a part of every endpoint
from shoal.model.breaker import Breaker
from shoal.model.cache import CacheUse
from shoal.model.data import Data
from shoal.model.edge import Edge
from shoal.model.names import check_event, check_service, event_id
from shoal.model.objectives import Objective, check_objectives
from shoal.model.objects import ObjectsUse
from shoal.model.projection import Projection
from shoal.model.saga import Saga
from shoal.model.schedule import Schedule
from shoal.model.search import SearchUse
from shoal.model.store import Store
from shoal.model.traffic import Traffic
from shoal.model.warehouse import Warehouse

Schema = dict[str, Any]
"""A JSON Schema (draft 2020-12); references point into the service's ``schemas``."""

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

Mode = Literal["structured", "binary"]
"""Content mode of CloudEvents: everything in the body, or the attributes in headers and the body nothing but data."""


class Policy(Data, frozen=True, kw_only=True):
    """How a request, call or delivery is bounded and repeated."""

    timeout: float = 5.0
    """Seconds until work is cancelled."""
    attempts: int = 1
    """Tries in all, the first one included."""
    backoff: float = 0.2
    """Seconds before the second try; doubles each time, with jitter."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0 < self.timeout <= 3600:
            raise DeclarationError(f"timeout {self.timeout!r} s is out of range", hint="use 0 < timeout <= 3600")
        if not 1 <= self.attempts <= 100:
            raise DeclarationError(f"attempts={self.attempts!r} is out of range", hint="use 1 to 100")
        if not 0 <= self.backoff <= 3600:
            raise DeclarationError(f"backoff {self.backoff!r} s is out of range", hint="use 0 <= backoff <= 3600")


class Parameter(Data, frozen=True, kw_only=True):
    """One path, query or header parameter."""

    name: str
    place: Literal["path", "query", "header"]
    schema: Schema
    required: bool = True


class Endpoint(Data, frozen=True, kw_only=True):
    """One HTTP operation of a service."""

    name: str
    method: Method
    path: str
    """Template such as ``/orders/{order_id}``."""
    access: Access = Access()
    policy: Policy = Policy()
    status: int = 200
    idempotent: bool = False
    """Whether an ``Idempotency-Key`` makes it safe to repeat."""
    critical: bool = False
    """Whether it is the last to be refused under more load than the service can take."""
    audited: bool = False
    """Whether it is recorded who asked for it, and what became of it."""
    edge: Edge = Edge()
    """What the gateway does for it."""
    objectives: tuple[Objective, ...] = ()
    """What is promised of its answers."""
    parameters: tuple[Parameter, ...] = ()
    request: Schema | None = None
    request_required: bool = True
    response: Schema | None = None
    summary: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a malformed path, parameters that do not match it, and a status that cannot answer."""
        check_path(self.path, of=self.name, where=self.source)
        check_objectives(self.name, self.objectives, self.source, lasts=self.edge.goes_on)
        _check_public(self)
        declared = {p.name for p in self.parameters if p.place == "path"}
        named = set(path_parameters(self.path))
        if declared != named:
            odd = ", ".join(sorted(declared ^ named))
            raise DeclarationError(
                f"path {self.path!r} and the parameters of {self.name} disagree about: {odd}",
                hint="name each {parameter} of the path as a parameter of the handler",
                where=self.source,
            )
        twice = _twice([f"{p.place} parameter {p.name.lower()}" for p in self.parameters])
        if twice:
            raise DeclarationError(f"{self.name} takes {twice} twice", hint="rename one of them", where=self.source)
        if not 200 <= self.status <= 399 or (self.status in (204, 304) and self.response is not None):
            raise DeclarationError(
                f"{self.name} cannot answer with status {self.status}"
                + ("" if self.response is None else " and a body"),
                hint="use 200 to 399 for a success, without a body for 204 and 304; raise Problem for failures",
                where=self.source,
            )

    @property
    def public(self) -> str:
        """Path template under which clients of the gateway find it."""
        return (self.edge.transform and self.edge.transform.path) or self.path

    @property
    def exposed(self) -> bool:
        """Whether the gateway routes to it."""
        return self.access.kind != "internal"


class Event(Data, frozen=True, kw_only=True):
    """One version of an event type."""

    name: str
    version: int = 1
    key: str = ""
    """Field whose value orders events; empty when they are not ordered."""
    sequence: str = ""
    """Field that numbers the events of a key from 1 without gaps; empty when none does."""
    mode: Mode = "structured"
    failure: bool = False
    """Whether it says that a step failed, so that earlier steps are to be undone."""
    schema: Schema
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a malformed name or version."""
        check_event(self.name, where=self.source)
        if self.version < 1:
            raise DeclarationError(
                f"event {self.name} has version {self.version}", hint="count from 1", where=self.source
            )

    @property
    def id(self) -> str:
        """CloudEvents ``type``."""
        return event_id(self.name, self.version)

    @property
    def owner(self) -> str:
        """The service that publishes it: an event is named after its owner."""
        return self.name.partition(".")[0]


class Subscription(Data, frozen=True, kw_only=True):
    """One handler of one event type."""

    event: str
    """`Event.id` of the event."""
    handler: str
    accepts: tuple[str, ...] = ()
    """Ids of older versions that upcasters turn into it."""
    leads_to: tuple[str, ...] | None = None
    """Ids of the events that its handler may publish; None when nobody said."""
    policy: Policy = Policy(timeout=25.0, attempts=8, backoff=0.2)
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse to accept what is no other version of the event."""
        name = self.event.rpartition(".v")[0]
        odd = [older for older in self.accepts if older == self.event or older.rpartition(".v")[0] != name]
        if odd:
            raise DeclarationError(
                f"{self.handler} handles {self.event} and cannot accept {odd[0]} for it",
                hint="an upcaster leads from another version of the same event",
                where=self.source,
            )

    @property
    def heard(self) -> tuple[str, ...]:
        """Every id that reaches the handler."""
        return (self.event, *self.accepts)


class Call(Data, frozen=True, kw_only=True):
    """One operation of another service that this one calls."""

    service: str
    endpoint: str
    policy: Policy = Policy()
    breaker: Breaker | None = None
    """When it stops asking; None when it never does."""
    source: str = ""


class Setting(Data, frozen=True, kw_only=True):
    """One value that the service reads from its environment."""

    name: str
    variable: str
    required: bool = True
    secret: bool = False


class Service(Data, frozen=True, kw_only=True):
    """One service: what it serves, says, hears, calls and keeps."""

    name: str
    entry: str
    """Where its declaration lives: ``package.module:attribute``."""
    version: str = "0.1.0"
    summary: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    publishes: tuple[Event, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    projections: tuple[Projection, ...] = ()
    calls: tuple[Call, ...] = ()
    sagas: tuple[Saga, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    store: Store | None = None
    cache: CacheUse | None = None
    warehouse: Warehouse | None = None
    search: SearchUse | None = None
    objects: ObjectsUse | None = None
    settings: tuple[Setting, ...] = ()
    externals: tuple[str, ...] = ()
    """Names of the outside systems it talks to."""
    traffic: Traffic = Traffic()
    """How requests are spread over its replicas, and how many it takes."""
    objectives: tuple[Objective, ...] = ()
    """What is promised of all its answers together."""
    schemas: dict[str, Schema] = msgspec.field(default_factory=dict)
    """Named schemas that the others refer to."""
    personal: tuple[str, ...] = ()
    """What it keeps, announces or hears of persons: ``table.field`` and ``event.field``."""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse names twice, and events without a store to commit them in."""
        check_service(self.name, where=self.source)
        check_objectives(self.name, self.objectives, self.source)
        sources = [e.source for e in self.endpoints]
        _refuse_twice(self, "endpoint", [e.name for e in self.endpoints], sources)
        _refuse_twice(self, "route", [f"{e.method} {shape(e.path)}" for e in self.endpoints], sources)
        _refuse_twice(self, "event", [e.id for e in self.publishes])
        _refuse_twice(self, "subscription to", [id for s in self.subscriptions for id in s.heard])
        _refuse_twice(self, "saga", [s.name for s in self.sagas])
        _refuse_twice(self, "schedule", [s.name for s in self.schedules])
        _check_paths(self)
        _check_flow(self)
        _check_key(self)
        for event in self.publishes:
            if event.owner != self.name:
                raise DeclarationError(
                    f"service {self.name} publishes {event.name}, which is named after {event.owner}",
                    hint=f"name it {self.name}.{event.name.partition('.')[2]!s}",
                    where=event.source,
                )
        if (self.publishes or self.subscriptions) and self.store is None:
            raise DeclarationError(
                f"service {self.name} has events but no store: they could not commit with its data",
                hint=f'declare Service("{self.name}", store=Postgres(...))',
                where=self.source,
            )
        if self.store is None and (needing := _needing_store(self)):
            hint = f'declare Service("{self.name}", store=Postgres(...), ...)'
            raise DeclarationError(f"service {self.name} has {needing}", hint=hint, where=self.source)

    def endpoint(self, name: str) -> Endpoint | None:
        """Find an endpoint by name."""
        return next((e for e in self.endpoints if e.name == name), None)

    def saga(self, name: str) -> Saga | None:
        """Find a saga by name."""
        return next((s for s in self.sagas if s.name == name), None)


def _needing_store(service: Service) -> str:
    """Say what a service has that keeps its progress in a store."""
    if service.warehouse is not None:
        return "a warehouse but no store, in which facts wait until they are in it"
    if service.search is not None:
        return "search but no store, in which notes wait until they are in it"
    return "objects but no store, in which it says which of them stay" if service.objects is not None else ""


_SEGMENT = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z0-9._~!$&'()*+,;=:@-]*")

RESERVED_PATHS = ("/health", "/ready", "/metrics", "/openapi.json", "/asyncapi.json")
"""What every service answers by itself."""


def check_path(path: str, *, of: str, where: str = "") -> str:
    """Return a path template whose segments are each plain or one ``{parameter}``, else raise `DeclarationError`."""
    parts = path.split("/")
    if parts[0] or "//" in path or len(parts) < 2 or any(p in (".", "..") or not _SEGMENT.fullmatch(p) for p in parts):
        raise DeclarationError(
            f"path {path!r} of {of} is not an absolute path template",
            hint="start it with one '/'; a segment is plain text (RFC 3986, unescaped) or one whole {parameter}",
            where=where,
        )
    if len(set(path_parameters(path))) < len(path_parameters(path)):
        raise DeclarationError(f"path {path!r} of {of} names a parameter twice", hint="rename one", where=where)
    return path


def path_parameters(path: str) -> tuple[str, ...]:
    """List the parameter names of a path template, in order."""
    return tuple(part[1:-1] for part in path.split("/") if part.startswith("{") and part.endswith("}"))


def shape(path: str) -> str:
    """Reduce a path template to what makes it unique: its parameters lose their names."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def closeness(path: str) -> list[tuple[bool, str]]:
    """Order path templates so that the first match is the closest: literal before parameter, whatever its name."""
    return [(part == "{}", part) for part in shape(path).split("/")]


def _check_public(endpoint: Endpoint) -> None:
    """Refuse a path outside that does not say all that the path inside needs."""
    check_path(endpoint.public, of=endpoint.name, where=endpoint.source)
    if set(path_parameters(endpoint.public)) != set(path_parameters(endpoint.path)):
        raise DeclarationError(
            f"path {endpoint.public!r} cannot become {endpoint.path!r}: their parameters differ",
            hint="name the same {parameters} in both",
            where=endpoint.source,
        )


def _check_paths(service: Service) -> None:
    """Refuse the framework's own paths, and one path whose parameters bear two names."""
    spelled: dict[str, Endpoint] = {}
    for endpoint in service.endpoints:
        if endpoint.path in RESERVED_PATHS:
            raise DeclarationError(
                f"{endpoint.name} asks for {endpoint.path}, which every service answers by itself",
                hint="choose another path",
                where=endpoint.source,
            )
        first = spelled.setdefault(shape(endpoint.path), endpoint)
        if first.path != endpoint.path:
            raise DeclarationError(
                f"{endpoint.name} spells {endpoint.path} what {first.name} spells {first.path}",
                hint="name the parameters of one path alike; OpenAPI knows each path once",
                where=endpoint.source,
            )


def _check_key(service: Service) -> None:
    """Refuse to keep requests on a replica by a path parameter that no path has."""
    key = service.traffic.hash_by
    known = {name for endpoint in service.endpoints for name in path_parameters(endpoint.path)}
    if key is not None and key.parameter and key.parameter not in known:
        raise DeclarationError(
            f"service {service.name} keeps requests together by {key.parameter!r}, which no path of it has",
            hint=f"its path parameters are: {', '.join(sorted(known)) or 'none'}",
            where=service.source,
        )


def _check_flow(service: Service) -> None:
    """Refuse a handler that is said to publish what its service does not."""
    published = {e.id for e in service.publishes}
    for subscription in service.subscriptions:
        for event in subscription.leads_to or ():
            if event not in published:
                raise DeclarationError(
                    f"{subscription.handler} is said to lead to {event}, which {service.name} does not publish",
                    hint=f"add it: Service({service.name!r}, publishes=[...]), or take it out of leads_to",
                    where=subscription.source,
                )


def _refuse_twice(service: Service, kind: str, names: list[str], sources: Sequence[str] = ()) -> None:
    if name := _twice(names):
        last = len(names) - 1 - names[::-1].index(name)
        raise DeclarationError(
            f"service {service.name} declares {kind} {name} twice",
            hint="rename or remove one",
            where=(sources[last] if sources else "") or service.source,
        )


def _twice(names: list[str]) -> str:
    """Return the first name that comes again; empty when none does."""
    return next((name for position, name in enumerate(names) if name in names[:position]), "")
