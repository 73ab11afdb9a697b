"""A whole system in this process, on the reference drivers, started in milliseconds."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shoal import audit, tokens
from shoal.audit.subject import Ask
from shoal.drivers.base import Consumer, Message, Outcome, Stream
from shoal.drivers.base.objects import pieces
from shoal.drivers.memory import (
    MemoryBroker,
    MemoryCache,
    MemoryObjects,
    MemorySearch,
    MemoryStore,
    MemoryWarehouse,
)
from shoal.errors import DeclarationError, ShoalError
from shoal.model import Plan, plan
from shoal.model.plan import ServicePlan
from shoal.model.target import MEMORY
from shoal.runtime.asgi import request
from shoal.runtime.clients import LocalTransport
from shoal.runtime.commands.entries import Entry
from shoal.runtime.commands.reading import commands
from shoal.runtime.config import ServiceConfig
from shoal.runtime.gateway import Gateway
from shoal.runtime.host import Fittings, Host
from shoal.runtime.objects.loose import is_due
from shoal.runtime.projections.fold import compile_fold
from shoal.runtime.projections.standing import is_quiet
from shoal.runtime.sagas.housekeeping import drives
from shoal.runtime.schedules.operator import is_due as is_schedule_due
from shoal.runtime.search.changes import unindexed
from shoal.runtime.warehouse.staging import waiting
from shoal.service.audit import Operation
from shoal.service.declare import Service
from shoal.service.describe import describe
from shoal.service.system import System
from shoal.testing.clock import MovableClock
from shoal.testing.events import Events
from shoal.testing.http import Client, Response
from shoal.testing.outside import Outside
from shoal.testing.rings import ring_for
from shoal.testing.sockets import SocketClient

NOWHERE = "http://sandbox.invalid"
"""Address of every outside system: what is not overridden must not be reached (RFC 2606)."""


class MemorySystem(Client):
    """A running system; `post`, `get` and the rest go through its gateway."""

    def __init__(
        self,
        declared: System,
        folder: Path,
        *,
        overrides: Mapping[Any, Any] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(self._through_gateway)
        self.clock = MovableClock()
        self.events = Events()
        self.declared = declared
        self.plan: Plan = plan(describe(declared), MEMORY).require()
        self._keys = Keys(folder, self.plan)
        self._broker = _Tapped(self.events, self.clock)
        self._transport = LocalTransport()
        self._environ = dict(environ or {})
        self._overridden: dict[Any, Any] = {}
        self._objects = {
            service.name: MemoryObjects(service.name, lambda: self.clock.now().timestamp())
            for service in declared.services
            if service.objects is not None
        }
        self._hosts = {
            service.name: Host(
                service, self._config(self.plan.service(service.name)), self._fittings(service, overrides)
            )
            for service in declared.services
        }
        self._folds = {s.name: [compile_fold(p) for p in s.projections] for s in declared.services}
        self._transport.applications.update(self._hosts)
        self._gateway = Gateway(self.plan, self._hosts)
        for host in self._hosts.values():
            self.clock.watch(host.loosened.set)

    async def start(self) -> None:
        """Start every service."""
        streams = [Stream(name=s.name, subjects=s.subjects) for s in self.plan.streams]
        planned = [c for s in self.plan.services if s.broker for c in s.broker.consumers]
        consumers = [
            Consumer(stream=c.stream, name=c.durable, subjects=c.subjects, ack_wait=c.ack_wait) for c in planned
        ]
        await self._broker.declare(streams, consumers)
        await asyncio.gather(*(host.start() for host in self._hosts.values()))

    async def stop(self) -> None:
        """Stop every service."""
        await asyncio.gather(*(host.stop() for host in self._hosts.values()))

    def token(self, subject: str, *, lifetime: float = 3600.0, issuer: str = "", **claims: Any) -> str:
        """Sign a token as the system's issuer does; `claims` may hold ``roles=[...]`` and ``scope="..."``.

        `issuer` names one of the gateway's issuers outside the system, whose keys are made up for the test.
        """
        now = self.clock.now().timestamp()
        return (
            self._keys.sign_as(issuer, subject, now, claims)
            if issuer
            else self._keys.sign(subject, now, lifetime, claims)
        )

    def key(self, consumer: str) -> str:
        """Make a key for a consumer, for ``X-API-Key``."""
        return self._keys.key_of(consumer, int(self.clock.now().timestamp()) + 3600)

    def socket(self, path: str, *, token: str = "", headers: Mapping[str, str] | None = None) -> SocketClient:
        """Open a socket through the gateway: ``async with system.socket("/chat") as client``."""
        sent = {**(headers or {}), **({"authorization": f"Bearer {token}"} if token else {})}
        return SocketClient(self._gateway, path, sent)

    def objects(self, service: str) -> MemoryObjects:
        """Return the objects of a service."""
        return self._objects[service]

    async def follow(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Response:
        """Ask a URL by which a service lends an object, as a browser does."""
        objects = self._objects.get(urlsplit(url).path.split("/")[1])
        if objects is None:
            raise ShoalError(f"no service lends anything at {url}")
        sent = {**(headers or {}), "content-length": str(len(content))}
        answer = await objects.door.answer(method, url, sent, pieces(content))
        body = b"" if answer.body is None else b"".join([piece async for piece in answer.body])
        return Response(answer.status, answer.headers, body)

    @contextmanager
    def override(self, kind: Any, value: object) -> Iterator[None]:
        """Inject `value` wherever a handler of any service asks for `kind`."""
        if not any(host.injects(kind) for host in self._hosts.values()):
            raise DeclarationError(
                f"no service injects {getattr(kind, '__name__', kind)}", hint="override what some handler asks for"
            )
        before = dict(self._overridden)
        self._override({**before, kind: value})
        try:
            yield
        finally:
            self._override(before)

    def _override(self, values: dict[Any, Any]) -> None:
        self._overridden = values
        for host in self._hosts.values():
            host.override(values)

    async def settle(self, *, within: float = 10.0) -> None:
        """Wait until every event is handled and every saga ends or waits; `ShoalError` after `within` seconds."""
        try:
            async with asyncio.timeout(within):
                while not await self._is_quiet():
                    await self._broker.stirred()
        except TimeoutError:
            raise ShoalError(
                f"the system did not come to rest within {within:g} s",
                hint=f"announced were: {', '.join(self.events.types()) or 'none'}; is a handler failing?",
            ) from None

    async def commands(self, service: str) -> Sequence[Entry]:
        """Read what a service has on record of who asked for what, the latest first."""
        store = self._hosts[service].store
        return () if store is None else await commands(store)

    async def audit(
        self,
        *,
        expected: Iterable[tuple[str, str]] = (),
        operations: Iterable[Operation] = (),
        externals: Mapping[str, Ask] | None = None,
    ) -> audit.Report:
        """Check every promise of the system, as it is now; `settle` first.

        Args:
            expected: The dead letters that there should be: service, and id of the message.
            operations: What the test's clients did.
            externals: What the system's own audits ask of the world outside, by name.
        """
        subject = audit.Subject(
            declared=self.declared,
            plan=self.plan,
            now=self.clock.now,
            stores={name: host.store for name, host in self._hosts.items() if host.store is not None},
            broker=self._broker,
            externals=externals or {},
            expected=frozenset(expected),
            operations=tuple(operations),
        )
        return await audit.check(subject)

    async def _is_quiet(self) -> bool:
        if await self._drives_sagas() or await self._runs_schedules():
            return False
        for host in self._hosts.values():
            if host.store is not None and (await host.store.backlog()).count:
                return False
            if host.service.warehouse is not None and host.store is not None and await waiting(host.store):
                return False
            if host.objects is not None and host.store is not None and await is_due(host.store, self.clock.now()):
                return False
        return (
            self._broker.idle()
            and await self._has_folded()
            and not await self._indexes()
            and not await self._drives_sagas()
        )

    async def _has_folded(self) -> bool:
        """Tell whether every read model has folded what was heard."""
        folding = [(h.store, self._folds[name]) for name, h in self._hosts.items() if h.store is not None]
        return all([await is_quiet(store, folds) for store, folds in folding if folds])

    async def _indexes(self) -> bool:
        """Tell whether something is not yet found by its words."""
        return any([await unindexed(host.store, host.service) for host in self._hosts.values() if host.store])

    async def _drives_sagas(self) -> bool:
        """Tell whether a saga has something to do now; one that waits for a later time has not."""
        now, stores = self.clock.now(), [h.store for h in self._hosts.values() if h.store is not None]
        return any([await drives(store, now) for store in stores])

    async def _runs_schedules(self) -> bool:
        """Tell whether something is due by the clock."""
        hosts = [(h.service, h.store) for h in self._hosts.values() if h.store is not None]
        return any([await is_schedule_due(service, store, self.clock.now()) for service, store in hosts])

    async def _through_gateway(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        sent = asyncio.create_task(request(self._gateway, method, target, headers, body))
        status, received, answer = await sent
        return Response(status, {k.decode(): v.decode("latin-1") for k, v in received}, answer)

    def _fittings(self, service: Service, overrides: Mapping[Any, Any] | None) -> Fittings:
        return Fittings(
            transport=self._transport,
            clock=self.clock,
            store=MemoryStore() if service.store is not None else None,
            broker=self._broker,
            cache=MemoryCache(self.clock.monotonic) if service.cache is not None else None,
            key_ring=ring_for(service),
            warehouse=MemoryWarehouse() if service.warehouse is not None else None,
            search=MemorySearch() if service.search is not None else None,
            objects=self._objects.get(service.name),
            overrides=dict(overrides or {}),
        )

    def _config(self, service: ServicePlan) -> ServiceConfig:
        outside = dict.fromkeys(service.externals.values(), NOWHERE)
        config = ServiceConfig(system=self.plan.system.name, entry=service.entry, environ={**outside, **self._environ})
        return msgspec.structs.replace(config, **self._keys.config(issues=service.issues_tokens))


class Keys:
    """The keys of a system under test, in files as a service expects them."""

    def __init__(self, folder: Path, planned: Plan) -> None:
        issuer = planned.system.gateway.issuer
        self._signer: tokens.Signer | None = None
        self._values: dict[str, str] = {}
        if issuer is not None:
            private, public = tokens.generate()
            key, jwks = folder / "signing-key.json", folder / "jwks.json"
            key.write_bytes(private)
            jwks.write_bytes(public)
            self._signer = tokens.Signer(private, issuer=issuer.name, audience=issuer.audience)
            self._values = {"jwks": str(jwks), "issuer": issuer.name, "audience": issuer.audience}
            self._key = str(key)
        self._outside = Outside(folder, planned.system)
        self._values |= self._outside.config

    def sign_as(self, issuer: str, subject: str, now: float, claims: Mapping[str, Any]) -> str:
        """Sign a token as an issuer outside the system does."""
        return self._outside.sign(issuer, subject, now, claims)

    def key_of(self, consumer: str, expires: int) -> str:
        """Make a key for a consumer."""
        return self._outside.key(consumer, expires)

    def config(self, *, issues: bool) -> dict[str, str]:
        """Return the fields of a service's configuration."""
        return {**self._values, "signing_key": self._key} if issues else self._values

    def sign(self, subject: str, now: float, lifetime: float, claims: Mapping[str, Any]) -> str:
        """Sign a token."""
        if self._signer is None:
            raise DeclarationError("the system has no issuer of tokens", hint="declare System(..., issuer=Issuer(...))")
        return self._signer.sign(subject, now, lifetime, claims)


class _Tapped(MemoryBroker):
    """Notes everything that is published, and says when something was answered."""

    def __init__(self, events: Events, clock: MovableClock) -> None:
        super().__init__(clock.monotonic, clock.now)
        self._events = events
        clock.watch(self.wake)

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        """Store and note."""
        outcomes = await super().publish(messages, after=after)
        for message in messages:
            if _is_event(message):
                await self._events.record(message)
        return outcomes

    async def stirred(self) -> None:
        """Let others work for a moment."""
        await asyncio.sleep(0.001)


def _is_event(message: Message) -> bool:
    return message.subject.split(".")[1] == "event"
