"""Run one declared service: connect, migrate, provide, seed, serve, relay, consume, drain."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from shoal import failpoints
from shoal.drivers import (
    open_broker,
    open_cache,
    open_key_ring,
    open_objects,
    open_search,
    open_store,
    open_warehouse,
)
from shoal.drivers.base import Broker, Cache, Consumer, KeyRing, Store, Warehouse
from shoal.drivers.base.objects import ObjectStore
from shoal.drivers.base.observing import observing
from shoal.drivers.base.search import Search
from shoal.errors import DeclarationError
from shoal.model import names
from shoal.model.plan import consumers
from shoal.runtime.application import Application
from shoal.runtime.auth import Authenticator, believed_by
from shoal.runtime.backlog import Gauge
from shoal.runtime.breaking import Switchboard
from shoal.runtime.cache.fittings import Keeping
from shoal.runtime.clients import Transport, client
from shoal.runtime.clock import SystemClock, monotonic_of, seconds_of
from shoal.runtime.compile import Compiled, compile_service, contracts_of
from shoal.runtime.config import ServiceConfig
from shoal.runtime.consuming.desk import Desk, Subscriber
from shoal.runtime.endpoint import Surroundings
from shoal.runtime.events import EventSide
from shoal.runtime.issuer import KeyIssuer
from shoal.runtime.keysets import Fetch, get
from shoal.runtime.logs import Journal, acting
from shoal.runtime.metrics.vitals import Vitals, measuring
from shoal.runtime.objects.shelf import shelves
from shoal.runtime.preparing import prepare
from shoal.runtime.probes import Probes
from shoal.runtime.providers import provide
from shoal.runtime.recording import recording
from shoal.runtime.relay import Relay
from shoal.runtime.replica import Replica
from shoal.runtime.request import Receive, Scope, Send
from shoal.runtime.search.searching import Searcher
from shoal.runtime.seeding import sow
from shoal.runtime.side import Around, Listener, Side
from shoal.runtime.sides import SIDES
from shoal.runtime.statements import Statements
from shoal.runtime.telling import hide_secrets
from shoal.runtime.tracing import TRACING
from shoal.runtime.transaction import Announcer
from shoal.runtime.warehouse.reading import Reader
from shoal.runtime.warehouse.staging import Stager
from shoal.service.cached import remembering
from shoal.service.context import Clock, ReadReplica, TokenIssuer
from shoal.service.declare import Service
from shoal.service.describe import describe_service
from shoal.service.records import personal_data
from shoal.service.search import SearchIndex
from shoal.service.tracing import Trace
from shoal.service.warehouse import Reports
from shoal.service.warehouse import Warehouse as FactSink
from shoal.telemetry.recorder import Recorder
from shoal.tokens import Signer

if TYPE_CHECKING:
    from shoal.runtime.privacy.side import Privacy


class Fittings(msgspec.Struct, frozen=True, kw_only=True):
    """What a host is given from outside; tests give their own."""

    transport: Transport
    clock: Clock = msgspec.field(default_factory=SystemClock)
    store: Store | None = None
    """Takes the place of the one that the configuration names."""
    broker: Broker | None = None
    cache: Cache | None = None
    key_ring: KeyRing | None = None
    warehouse: Warehouse | None = None
    search: Search | None = None
    objects: ObjectStore | None = None
    journal: Journal | None = None
    recorder: Recorder | None = None
    """Records spans and log records; without one nothing is recorded."""
    fetch: Fetch = get
    """Gets a small document from outside, such as the keys of an issuer."""
    overrides: Mapping[Any, Any] = {}
    """Values that take the place of provided ones, by type; their providers are not called."""


class Host:
    """One running service; an ASGI application itself."""

    def __init__(self, service: Service, config: ServiceConfig, fittings: Fittings) -> None:
        self.service, self.config = service, config
        self._fittings = fittings
        self.model = describe_service(service, issues_tokens=bool(config.signing_key))
        self.store = fittings.store or (open_store(config.store_url) if config.store_url else None)
        self.metrics = measuring(service.name, self.store, fittings.recorder, config.broker_url)
        self.broker = fittings.broker or (open_broker(config.broker_url) if config.broker_url else None)
        self.cache = fittings.cache or (open_cache(config.cache_url) if config.cache_url else None)
        self._privacy = _privacy(service, config, fittings, self.store)
        if self._privacy is not None:
            self.store = self._privacy.store
        self._armed = failpoints.is_armed()
        if self._armed:
            self.store = failpoints.store_of(self.store) if self.store else None
            self.broker = failpoints.broker_of(self.broker) if self.broker else None
        self._observer = Statements() if fittings.recorder and fittings.recorder.tracing else None
        self._keeping = Keeping(self.cache, self.metrics) if self.cache else None
        self._announcer = _announcer(service, config, fittings, self._privacy)
        if self.store is not None and self.broker is not None and service.publishes:
            self._announcer.gauge = Gauge(self.store, config.outbox_bound)
        self.vitals = Vitals(self.metrics, self.store, self.cache, self._announcer.gauge)
        self._probes = Probes(self.model, self.vitals, self.store, self.broker, self.cache, self._announcer.gauge)
        self.warehouse = fittings.warehouse or (open_warehouse(config.warehouse_url) if config.warehouse_url else None)
        self.search = fittings.search or (open_search(config.search_url) if config.search_url else None)
        self.objects = fittings.objects or (open_objects(config.objects_url) if config.objects_url else None)
        self._staged, self._changed, self.loosened = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._announcer.changed = self._changed.set
        self._relay: Relay | None = None
        if self.store and self.broker and service.publishes:
            own = names.stream(config.system, service.name)
            self._relay = Relay(self.store, self.broker, own, self.metrics, self._announcer.broker)
        self._values: dict[Any, Any] = {}
        self._subscribers: dict[str, Subscriber] = {}
        self._application: Application | None = None
        self._events: EventSide | None = None
        around = self._around()
        built = [build(around) for build in SIDES] if around is not None else []
        self._sides = [side for side in built if side is not None]
        self._stack = AsyncExitStack()
        self._leaving = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's message, as ASGI 3 asks."""
        if self._application is None:
            raise RuntimeError("the service has not started")
        self.act()
        await self._application(scope, receive, failpoints.replying(send) if self._armed else send)

    async def start(self) -> None:
        """Get everything ready; afterwards requests may come and events flow. A failed start lets go of everything."""
        self.act()  # for the tasks that are made here, too
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            for engine in (self.cache, self.objects, self.store):
                if engine is not None:
                    await engine.close()
            raise

    def act(self) -> None:
        """Say whose code runs from here on."""
        acting.set(self.service.name)
        recording.set(self._fittings.recorder)
        observing.set(self._observer)
        remembering.set(self._keeping.remembered if self._keeping else None)

    async def _start(self) -> None:
        if self.store is not None:
            await prepare(self.service, self.store)
            if self._privacy is not None:
                await self._privacy.open()
        elif self.service.store is not None:
            raise DeclarationError(
                f"service {self.service.name} declares a store but was given none",
                hint="set SHOAL_STORE_URL; `shoal run` does",
                where=self.service.source,
            )
        self._require_given()
        if self.objects is not None:
            await self.objects.open()
        await self._provide()
        self.override({})
        if self.store is not None:
            await sow(self.service, self.store, self._announcer, self._compile(self._values).seeds)
        self._start_events()
        for side in self._sides:
            side.start()

    def _require_given(self) -> None:
        """Refuse to start without an engine that is declared."""
        for what in ("warehouse", "search", "objects", "cache"):
            if getattr(self.service, what) is not None and getattr(self, what) is None:
                hint = f"set SHOAL_{what.upper()}_URL; `shoal run` does"
                problem = f"service {self.service.name} declares {what}= but was given none"
                raise DeclarationError(problem, hint=hint, where=self.service.source)

    @property
    def sides(self) -> Sequence[Side]:
        """What it does besides answering requests."""
        return self._sides

    @property
    def announcer(self) -> Announcer:
        """What it may announce."""
        return self._announcer

    async def prepare(self) -> Mapping[str, Subscriber]:
        """Compile the handlers of events and start nothing, for who wants to see what they would do."""
        if self._privacy is not None:
            await self._privacy.open()
        await self._provide()
        self.override({})
        return self._subscribers

    def leave(self) -> None:
        """Begin nothing of one's own from now on; what is in hand is finished while requests still are."""
        self._leaving.set()
        for side in reversed(self._sides):
            side.leave()
        if self._events is not None:
            self._events.leave()

    async def stop(self) -> None:
        """Finish the work in hand, announce what is left, let go of everything."""
        async with AsyncExitStack() as ends:  # in reverse, each also when one before it failed
            if self.store is not None:
                ends.push_async_callback(self.store.close)
            for engine in (self.cache, self.objects):
                if engine is not None:
                    ends.push_async_callback(engine.close)
            ends.push_async_callback(self._fittings.transport.close)
            if self._privacy is not None:
                ends.push_async_callback(self._privacy.close)
            ends.push_async_callback(self._stack.aclose)
            if self._events is not None:
                ends.push_async_callback(self._events.stop, self.config.drain)
            for side in self._sides:
                ends.push_async_callback(side.stop, self.config.drain)

    def override(self, overrides: Mapping[Any, Any]) -> None:
        """Compile every handler with `overrides` in place of provided values; requests pay nothing for it."""
        values = {**self._values, **overrides}
        compiled = self._compile(values)
        heard = compiled.subscribers
        for side in self._sides:
            side.compile(values)
            heard = side.listen(heard) if isinstance(side, Listener) else heard
        self._subscribers.clear()
        self._subscribers.update(heard)
        self._application = Application(
            compiled.endpoints, self._probes.table(), self._fittings.journal, self.metrics.busy
        )

    @property
    def recorder(self) -> Recorder | None:
        """What records its spans and log lines; None where nothing is exported."""
        return self._fittings.recorder

    @property
    def message(self) -> int:
        """Bytes of the largest message of its sockets; 0 where it has none."""
        return max((e.edge.socket.largest for e in self.model.endpoints if e.edge.socket is not None), default=0)

    def injects(self, kind: object) -> bool:
        """Tell whether handlers here may ask for `kind`."""
        return kind in self._values

    def _compile(self, values: dict[Any, Any]) -> Compiled:
        config, clock = self.config, self._fittings.clock
        believed = believed_by(config)
        clocks = seconds_of(clock), monotonic_of(clock)
        verifier = None if believed is None else Authenticator(believed, self._fittings.fetch, *clocks)
        around = Surroundings(
            store=self.store,
            announcer=self._announcer,
            authenticator=verifier,
            values=values,
            poke=self._poke,
            clock=clock,
            leaving=self._leaving,
            lending=() if self._privacy is None else self._privacy.lending,
        )
        return compile_service(self.service, around, self.metrics, jwks=config.jwks if config.signing_key else "")

    def _around(self) -> Around | None:
        if self.store is None:
            return None
        return Around(
            system=self.config.system,
            replica=self.config.replica,
            service=self.service,
            model=self.model,
            store=self.store,
            broker=self.broker,
            announcer=self._announcer,
            clock=self._fittings.clock,
            metrics=self.metrics,
            remembered=self._keeping.remembered if self._keeping else None,
            journal=self._fittings.journal,
            poke=self._poke,
            warehouse=self.warehouse,
            staged=self._staged,
            search=self.search,
            changed=self._changed,
            objects=self.objects,
            loosened=self.loosened,
            apart=frozenset(filter(None, self.config.apart.split(","))),
        )

    def _poke(self) -> None:
        if self._relay is not None:
            self._relay.poke()

    async def _provide(self) -> None:
        """Collect what can be injected."""
        config, values, clock = self.config, self._values, self._fittings.clock
        values |= {Clock: clock, Trace: TRACING}
        if self.service.settings is not None:
            values[self.service.settings] = self.service.settings.load(self.service.name, config.environ)
        hide_secrets(config, values.get(self.service.settings))
        if self.store is not None:
            values[ReadReplica] = Replica(self.store, self._announcer)
        if self.service.warehouse is not None:
            values[FactSink] = Stager(self.service.name, self.service.warehouse.tables, self._staged.set)
            values[Reports] = Reader(self.service, self.warehouse)
        for kind in self.service.search.indexes if self.service.search is not None else ():
            values[SearchIndex[kind]] = Searcher(self.service.name, kind, self.search)  # type: ignore[valid-type]
        if self.objects is not None and self.store is not None:
            values |= shelves(self.service, self.objects, self.store, clock, self.loosened.set)
        if config.signing_key:
            key = Path(config.signing_key).read_bytes()  # noqa: ASYNC240 - one small file, before anything is served
            values[TokenIssuer] = KeyIssuer(Signer(key, issuer=config.issuer, audience=config.audience), clock)
        switchboard = Switchboard(self.service.guard, monotonic_of(clock))
        for kind in contracts_of(self.service):
            values[kind] = client(kind, self._fittings.transport, switchboard, self.metrics)
        switchboard.show(self.metrics)
        if self._keeping is not None:
            values |= self._keeping.injected
        values.update(self._fittings.overrides)
        await provide(self.service, values, self._stack)

    def _start_events(self) -> None:
        if self.store is None or self.broker is None:
            return
        desk = Desk(
            system=self.config.system,
            service=self.service.name,
            replica=self.config.replica,
            store=self.store,
            broker=self.broker,
            announcer=self._announcer,
            clock=self._fittings.clock,
            subscribers=self._subscribers,
            metrics=self.metrics,
            journal=self._fittings.journal,
            poke=self._poke,
        )
        planned = [
            Consumer(stream=p.stream, name=p.durable, subjects=p.subjects, ack_wait=p.ack_wait)
            for p in consumers(self.config.system, self.model)
        ]
        self._events = EventSide(desk, self._relay, planned)
        self._events.start()


def _announcer(service: Service, config: ServiceConfig, fittings: Fittings, privacy: "Privacy | None") -> Announcer:
    """Make what knows which events may be announced."""
    announcer = Announcer(config.system, service, fittings.clock)
    announcer.broker = config.broker_url.partition(":")[0] or "memory"
    if privacy is not None:
        announcer.seals = privacy.seals
    return announcer


def _privacy(service: Service, config: ServiceConfig, fittings: Fittings, store: Store | None) -> "Privacy | None":
    """Put a vault before the store of a service that has personal data; others pay nothing for it."""
    if not personal_data(service):
        return None
    ring = fittings.key_ring or (open_key_ring(config.key_ring) if config.key_ring else None)
    if store is None or ring is None:
        raise DeclarationError(
            f"service {service.name} has personal data, but no {'key ring' if store else 'store'}",
            hint="set SHOAL_KEY_RING; `shoal run` does" if store else "declare Service(..., store=Postgres())",
            where=service.source,
        )
    from shoal.runtime.privacy.side import Privacy  # noqa: PLC0415 - cryptography takes 0.1 s to import

    own = failpoints.store_of(store) if failpoints.is_armed() else store
    return Privacy(service, config.system, own, store, ring, fittings.transport, fittings.clock)
