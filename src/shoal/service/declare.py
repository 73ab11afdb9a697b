"""`Service`: what authors declare endpoints, handlers, providers and seeds on. Declaring starts nothing."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypedDict, TypeVar, Unpack, overload

import msgspec

from shoal.errors import DeclarationError
from shoal.model.cache import CacheUse
from shoal.model.names import check_label
from shoal.model.objectives import Objective
from shoal.model.service import Method, Policy
from shoal.model.store import Store as StoreModel
from shoal.model.traffic import Traffic
from shoal.service.breaking import BreakerDeclarations
from shoal.service.cached import CachedDeclarations
from shoal.service.marks import (
    EventMark,
    Operation,
    Options,
    build_operation,
    build_policy,
    check_kinds,
    check_options,
    event_mark,
    operations_of,
)
from shoal.service.objects import ObjectsDeclaration
from shoal.service.projections import Projection, ProjectionDeclarations
from shoal.service.sagas import SagaDeclarations
from shoal.service.schedules import ScheduleDeclarations
from shoal.service.search import SearchDeclaration
from shoal.service.settings import Settings
from shoal.service.sockets import SocketDeclarations
from shoal.service.source import of_caller, of_function
from shoal.service.streams import StreamDeclarations
from shoal.service.upcasting import Chain, Upcast, chains
from shoal.service.warehouse import WarehouseDeclaration

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E")
Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)
Provider = Callable[..., Any]
V = TypeVar("V", bound=Provider)


_KINDS = {
    "store": StoreModel | None,
    "publishes": Sequence[type],
    "contracts": Sequence[type],
    "settings": type | None,
}

LARGEST_BATCH = 256
"""Most events that a handler may take at a time."""


class EndpointDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """One handler of HTTP requests."""

    operation: Operation
    handler: Handler
    implements: Callable[..., Any] | None = None
    """The contract's method that it implements."""


class SubscriptionDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """One handler of events."""

    event: EventMark
    kind: type
    handler: Handler
    policy: Policy
    chains: tuple[Chain, ...] = ()
    """Ways from older versions of the event."""
    leads_to: tuple[type, ...] | None = None
    batch: int = 0
    """Most events that the handler takes at a time; 0 when it takes one."""
    source: str

    @property
    def heard(self) -> tuple[str, ...]:
        """Ids of the events that reach the handler, older versions too."""
        return (self.event.id, *(chain.event.id for chain in self.chains))

    @property
    def hears(self) -> Any:
        """Type of the parameter that takes the event, or the events."""
        return list[self.kind] if self.batch else self.kind  # type: ignore[name-defined]  # a type made here


class SubscriptionOptions(TypedDict, total=False):
    """What every handler of events may say."""

    timeout: float
    """Seconds until one attempt is cancelled; 25 when nothing is said."""
    attempts: int
    """Attempts over all replicas before an event becomes a dead letter; 8 when nothing is said."""
    backoff: float
    """Seconds before the second attempt, 0.2 when nothing is said; doubles each time up to 30 s, with jitter."""
    upcasters: Sequence[Upcast[Any, Any]]
    """Ways from older versions of the event, which then reach this handler too; they may build a chain."""
    leads_to: Sequence[type]
    """Events that this handler may publish, for the map of the flow; any of the service's when nothing is said."""


class ServiceOptions(TypedDict, total=False):
    """What a service may say besides what it keeps, announces and promises."""

    cache: CacheUse | None
    """Where it keeps values for a time."""
    objects: ObjectsDeclaration | None
    """Where it keeps pictures, exports and the like; it needs a store too, which says which of them stay."""
    objectives: Sequence[Objective]
    """What is promised of all its answers together, as ``Objective(availability=0.999)``."""
    externals: Sequence[str]
    """Names of the outside systems it talks to."""
    traffic: Traffic
    """How requests are spread over its replicas, and how many it takes."""
    search: SearchDeclaration | None
    """Where records are found by their words; it needs a store too, which has them."""
    summary: str
    """One sentence for the documents."""
    warehouse: WarehouseDeclaration | None
    """Where it keeps facts for reports; it needs a store too, in which facts wait."""


class SeedDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """One function that fills an empty store, once."""

    name: str
    handler: Handler


class Service(
    SagaDeclarations,
    ProjectionDeclarations,
    ScheduleDeclarations,
    StreamDeclarations,
    SocketDeclarations,
    BreakerDeclarations,
    CachedDeclarations,
):
    """Declare one service.

    Args:
        name: DNS label; also names its database, its identity and its events.
        store: Where it keeps its data; needed as soon as it has events.
        publishes: The events it may announce.
        contracts: Contracts that it promises to implement in full.
        settings: Class of its settings.
        options: See `ServiceOptions`.
    """

    def __init__(
        self,
        name: str,
        *,
        store: StoreModel | None = None,
        publishes: Sequence[type] = (),
        contracts: Sequence[type] = (),
        settings: type[Settings] | None = None,
        **options: Unpack[ServiceOptions],
    ) -> None:
        self.module, self.source = of_caller()
        check_options(f"Service({name!r})", options, ServiceOptions.__annotations__, self.source)
        given = {"store": store, "publishes": publishes, "contracts": contracts, "settings": settings}
        check_kinds(f"Service({name!r})", given, _KINDS, self.source)
        self.name = check_label("service", name, where=self.source)
        self.store = store
        self.publishes = tuple(publishes)
        self.contracts = tuple(contracts)
        self.settings = settings
        self.cache = options.get("cache")
        self.externals = tuple(options.get("externals", ()))
        self.traffic = options.get("traffic", Traffic())
        self.objectives = tuple(options.get("objectives", ()))
        self.summary = options.get("summary", "")
        self.warehouse = options.get("warehouse")
        self.search = options.get("search")
        self.objects = options.get("objects")
        self.endpoints: list[EndpointDeclaration] = []
        self.subscriptions: list[SubscriptionDeclaration] = []
        self.providers: list[Provider] = []
        self.seeds: list[SeedDeclaration] = []
        self.projections: list[Projection] = []
        self.background: list[Handler] = []
        """Handlers that neither requests nor events nor seeds reach, such as steps of sagas; what they call counts."""

    @property
    def entry(self) -> str:
        """``package.module:attribute`` by which another process finds this declaration."""
        for attribute, value in vars(sys.modules[self.module]).items():
            if value is self:
                return f"{self.module}:{attribute}"
        raise DeclarationError(
            f"service {self.name} is not bound to a name in {self.module}",
            hint=f"assign it at the top of the module: {self.name.replace('-', '_')} = Service(...)",
            where=self.source,
        )

    def get(self, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Serve ``GET path``."""
        return self._endpoint("GET", path, options)

    def post(self, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Serve ``POST path``."""
        return self._endpoint("POST", path, options)

    def put(self, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Serve ``PUT path``."""
        return self._endpoint("PUT", path, options)

    def patch(self, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Serve ``PATCH path``."""
        return self._endpoint("PATCH", path, options)

    def delete(self, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Serve ``DELETE path``."""
        return self._endpoint("DELETE", path, options)

    def implements(
        self, method: Callable[Concatenate[Any, P], Awaitable[R]]
    ) -> Callable[[Callable[..., Awaitable[R]]], Callable[..., Awaitable[R]]]:
        """Serve one method of a contract: same path, parameters and answer; further parameters are injected."""

        def declare(handler: Callable[..., Awaitable[R]]) -> Callable[..., Awaitable[R]]:
            found = getattr(method, "__shoal_operation__", None)
            if not isinstance(found, Operation) or found.service != self.name:
                raise DeclarationError(
                    f"{getattr(method, '__qualname__', method)} is no operation of a contract of {self.name}",
                    hint=f'use a method of a class decorated with @contract("{self.name}")',
                    where=of_function(handler),
                )
            bound = msgspec.structs.replace(found, source=of_function(handler))
            self.endpoints.append(EndpointDeclaration(operation=bound, handler=handler, implements=method))
            return handler

        return declare

    @overload
    def on(
        self, kind: type[E], **options: Unpack[SubscriptionOptions]
    ) -> Callable[[Callable[Concatenate[E, P], Awaitable[None]]], Callable[Concatenate[E, P], Awaitable[None]]]: ...

    @overload
    def on(
        self, kind: type[E], *, batch: int, **options: Unpack[SubscriptionOptions]
    ) -> Callable[
        [Callable[Concatenate[list[E], P], Awaitable[None]]], Callable[Concatenate[list[E], P], Awaitable[None]]
    ]: ...

    def on(self, kind: type[Any], *, batch: int = 0, **options: Unpack[SubscriptionOptions]) -> Callable[[H], H]:
        """Handle an event; its effect on the store happens once, in the order of the events of its key.

        Args:
            kind: Class of the event.
            batch: Hand over up to so many events at a time, as a list; they commit together. When that fails, each is
                handled alone.
            options: See `SubscriptionOptions`.
        """
        mark = event_mark(kind, place := of_caller()[1])
        if not 0 <= batch <= LARGEST_BATCH:
            raise DeclarationError(
                f"a batch of {batch} events", hint=f"take 1 to {LARGEST_BATCH} at a time", where=place
            )
        check_options(f"@{self.name}.on({kind.__name__})", options, SubscriptionOptions.__annotations__, place)
        upcasters, leads_to = options.pop("upcasters", ()), options.pop("leads_to", None)
        policy = build_policy(
            place,
            timeout=options.get("timeout", 25.0),
            attempts=options.get("attempts", 8),
            backoff=options.get("backoff", 0.2),
        )
        older, following = chains(kind, upcasters, place), None if leads_to is None else tuple(leads_to)

        def declare(handler: H) -> H:
            said = SubscriptionDeclaration(
                event=mark,
                kind=kind,
                handler=handler,
                policy=policy,
                chains=older,
                leads_to=following,
                batch=batch,
                source=place,
            )
            _refuse_second(self.name, self.subscriptions, said)
            self.subscriptions.append(said)
            return handler

        return declare

    def provide(self, provider: V) -> V:
        """Offer the annotated return type to every handler, made once per process.

        An async generator yields the value and cleans up after it when the process stops.
        """
        self.providers.append(provider)
        return provider

    def seed(self, name: str) -> Callable[[H], H]:
        """Fill the store when the service first starts on it; `name` is remembered, so that it happens once."""

        def declare(handler: H) -> H:
            self.seeds.append(SeedDeclaration(name=name, handler=handler))
            return handler

        return declare

    def _endpoint(self, method: Method, path: str, options: Options, **edge: Any) -> Callable[[H], H]:
        def declare(handler: H) -> H:
            built = build_operation(getattr(handler, "__name__", ""), method, path, of_function(handler), options)
            built = msgspec.structs.replace(built, edge=msgspec.structs.replace(built.edge, **edge))
            self.endpoints.append(EndpointDeclaration(operation=built, handler=handler))
            return handler

        return declare

    def __repr__(self) -> str:
        """Show the name."""
        return f"Service({self.name!r})"


def _refuse_second(service: str, others: Sequence[SubscriptionDeclaration], said: SubscriptionDeclaration) -> None:
    for other in others:
        for id_ in said.heard:
            if id_ in other.heard:
                raise DeclarationError(
                    f"{service} handles {id_} twice: in {getattr(other.handler, '__name__', 'a handler')} "
                    f"({other.source}) and in {getattr(said.handler, '__name__', 'another')}",
                    hint="an event has one handler in a service; do both there, or keep a read model by a projection",
                    where=said.source,
                )


def contract_operations(service: Service) -> dict[str, Operation]:
    """Collect the operations that a service's contracts promise."""
    promised: dict[str, Operation] = {}
    for kind in service.contracts:
        operations = operations_of(kind)
        if operations is None:
            raise DeclarationError(f"{kind!r} is no contract", hint="decorate it with @contract", where=service.source)
        promised |= operations
    return promised
