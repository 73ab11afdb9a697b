"""`Transaction` as handlers see it, over a driver's session."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from time import time_ns
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from shoal.drivers.base import Query, Session
from shoal.errors import Problem, Undeclared
from shoal.runtime.aggregates import Aggregates
from shoal.runtime.backlog import Gauge
from shoal.runtime.envelope import pack
from shoal.runtime.messaging import announced, outgoing
from shoal.runtime.privacy.erasing import forget
from shoal.runtime.recording import closed
from shoal.runtime.search.changes import note
from shoal.runtime.tables import RecordTable, read_stored, table_of
from shoal.runtime.trace import Trace, current
from shoal.service.aggregates import Folded, Recorded
from shoal.service.context import Clock
from shoal.service.declare import Service
from shoal.service.marks import EventMark, event_mark
from shoal.service.records import records_of
from shoal.service.sagas import Saga
from shoal.telemetry.spans import Span

if TYPE_CHECKING:
    from shoal.runtime.privacy.events import EventSeal
    from shoal.runtime.privacy.vault import DataKey, Need

T = TypeVar("T")
F = TypeVar("F")


class Starter(Protocol):
    """Begins the sagas of a service."""

    async def begin(self, session: Session, kind: type[Saga[Any]], state: Any, key: str) -> Callable[[], None] | None:
        """Write a saga's first row, and return what is to be called after the commit; None when it was begun before."""
        ...


class Holding(Protocol):
    """A session that holds back what needs keys."""

    def hold(self, needs: "Sequence[Need]", act: "Callable[[Session, Mapping[Need, DataKey | None]], None]") -> None:
        """Call `act` with the keys, before the next read or the commit."""
        ...


class Announcer:
    """Knows which events a service may announce."""

    def __init__(self, system: str, service: Service, clock: Clock) -> None:
        self.system, self.service, self.clock = system, service.name, clock
        self._marks = {kind: event_mark(kind) for kind in service.publishes}
        self.broker = ""
        """The broker's kind, for telemetry."""
        self.starter: Starter | None = None
        """Begins sagas, where the service has any."""
        self.kept = frozenset(records_of(service))
        """Types of the records that it was known to keep when it started."""
        self.indexed = frozenset(service.search.indexes) if service.search is not None else frozenset()
        """Types of the records that are found by their words."""
        self.changed: Callable[[], None] | None = None
        """Told, after the commit, that some of them may have changed."""
        self.gauge: Gauge | None = None
        """Knows whether another event may wait."""
        self.seals: Mapping[type, EventSeal] = {}
        """Seals the personal fields of events that have any."""

    def mark(self, event: object) -> EventMark:
        """Return an event's mark, or raise `Undeclared`."""
        found = self._marks.get(type(event))
        if found is None:
            raise Undeclared(
                f"service {self.service} announces {type(event).__name__}, which it does not declare",
                hint=f'add it: Service("{self.service}", publishes=[..., {type(event).__name__}])',
            )
        return found


class UnitOfWork:
    """Implements `shoal.Transaction`."""

    __slots__ = ("_aggregates", "_announcer", "_execute", "_then", "published", "session", "uncommitted")

    def __init__(
        self, session: Session, announcer: Announcer, *, only_store: bool = False, uncommitted: bool = False
    ) -> None:
        self.session, self._announcer = session, announcer
        self._execute = session.execute_later if only_store else session.execute
        """Whoever reaches nothing but the store cannot tell when a statement runs, as long as the order is kept."""
        self._aggregates: Aggregates | None = None
        self._then: list[Callable[[], None]] = []
        self.published = 0
        self.uncommitted = uncommitted
        """Whether it reads what nobody else may know before the commit; also what others wrote in the same session."""

    async def get(self, kind: type[T], key: object, *, lock: bool = False) -> T | None:
        """Read one record."""
        mapping = table_of(kind)
        row = await self.session.get(mapping.table, key, lock=lock)
        return None if row is None else mapping.from_row(row)

    async def require(self, kind: type[T], key: object, *, lock: bool = False) -> T:
        """Read one record, or answer 404."""
        found = await self.get(kind, key, lock=lock)
        if found is None:
            raise Problem(404, "not-found", f"there is no {kind.__name__} {key}")
        return found

    async def find(
        self,
        kind: type[T],
        where: Mapping[str, object] | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
        lock: bool = False,
    ) -> list[T]:
        """Read the records that match."""
        mapping = table_of(kind)
        query = Query(where=mapping.where(where), order=tuple(order), limit=limit, offset=offset, lock=lock)
        return [mapping.from_row(row) for row in await self.session.find(mapping.table, query)]

    async def count(self, kind: type[Any], where: Mapping[str, object] | None = None) -> int:
        """Count the records that match."""
        mapping = table_of(kind)
        return await self.session.count(mapping.table, mapping.where(where))

    def put(self, record: object) -> None:
        """Write a record."""
        mapping = self.known(table_of(type(record)))
        self.uncommitted = True
        self.session.put(mapping.table, mapping.to_row(record))
        self.altered(mapping.kind, getattr(record, mapping.table.key))

    def insert(self, record: object) -> None:
        """Write a new record."""
        mapping = self.known(table_of(type(record)))
        self.uncommitted = True
        self.session.insert(mapping.table, mapping.to_row(record))
        self.altered(mapping.kind, getattr(record, mapping.table.key))

    def delete(self, kind: type[Any], key: object) -> None:
        """Remove a record."""
        self.uncommitted = True
        self.session.delete(table_of(kind).table, key)
        self.altered(kind, key)

    def known(self, mapping: RecordTable[T]) -> RecordTable[T]:
        """Refuse to write personal fields of a type that the service did not know when it started."""
        if mapping.table.personal and mapping.kind not in self._announcer.kept:
            name = mapping.kind.__name__
            raise Undeclared(
                f"service {self._announcer.service} writes {name}, which has personal fields, but its module does not "
                "name that record: it would be kept in the clear, and not be erased",
                hint=f"import it where the service is declared: from {mapping.kind.__module__} import {name}",
            )
        return mapping

    def altered(self, kind: type[Any], key: object) -> None:
        """Note, with whatever changes, that an index has to look at a record again."""
        if kind in self._announcer.indexed:
            note(self.session, kind, str(key))
            if self._announcer.changed is not None and self._announcer.changed not in self._then:
                self._then.append(self._announcer.changed)

    async def load(self, kind: type[T], id: str, *, lock: bool = False) -> T | None:
        """Read one aggregate."""
        return (await self._folded().load(kind, (id,), lock=lock)).get(id)

    async def load_all(self, kind: type[T], ids: Sequence[str], *, lock: bool = False) -> dict[str, T]:
        """Read those aggregates that exist."""
        return await self._folded().load(kind, ids, lock=lock)

    def append(self, aggregate: Folded[F, T], fact: F) -> T:
        """Record what happened to an aggregate."""
        self.uncommitted = True
        return self._folded().append(aggregate, fact)

    async def facts(
        self,
        kind: type[Folded[F, Any]],
        id: str,
        *,
        above: int = 0,
        limit: int = 100,
    ) -> list[Recorded[F]]:
        """Read what happened to an aggregate."""
        return await self._folded().facts(kind, id, above, limit)

    def _folded(self) -> Aggregates:
        if self._aggregates is None:
            self._aggregates = Aggregates(self.session, self._announcer.clock)
        return self._aggregates

    def publish(self, event: object) -> None:
        """Add an event to the outbox."""
        announcer, context = self._announcer, current.get()
        mark = announcer.mark(event)
        if announcer.gauge is not None:
            announcer.gauge.admit()
        trace, now, began = outgoing(context), announcer.clock.now(), time_ns()
        seal = announcer.seals.get(type(event))
        if seal is None:
            message = pack(announcer.system, announcer.service, mark, event, now=now, trace=trace)
            self.session.publish(message)
            self._announced(announced(trace, mark.id, announcer.broker, message, began))
        else:
            self._publish_sealed(event, mark, seal, now, trace)
        self.published += 1

    def _publish_sealed(
        self, event: object, mark: EventMark, seal: "EventSeal", now: datetime, trace: Trace | None
    ) -> None:
        announcer, began = self._announcer, time_ns()
        system, service = announcer.system, announcer.service

        def act(session: Session, keys: "Mapping[Need, DataKey | None]") -> None:
            message = pack(system, service, mark, event, now=now, trace=trace, data=seal.data(event, keys))
            session.publish(message)
            self._announced(announced(trace, mark.id, announcer.broker, message, began))

        cast("Holding", self.session).hold(seal.needs(event), act)

    def _announced(self, span: Span | None) -> None:
        """Record that an event was announced once it was."""
        if span is not None:
            self._then.append(partial(closed, span))

    async def start(self, saga: type[Saga[T]], state: T, *, key: str = "") -> bool:
        """Begin a saga."""
        starter = self._announcer.starter
        if starter is None:
            raise Undeclared(
                f"service {self._announcer.service} starts {saga.__name__}, which is no saga of it",
                hint=f"decorate the class with @{self._announcer.service.replace('-', '_')}.saga(...)",
            )
        then = await starter.begin(self.session, saga, state, key)
        if then is None:
            return False
        self._then.append(then)
        return True

    async def forget(self, person: str) -> None:
        """Erase a person."""
        self.uncommitted = True
        await forget(self.session, person, self._announcer.clock.now())

    def then(self, call: Callable[[], None]) -> None:
        """Call something once the transaction has committed."""
        self._then.append(call)

    def committed(self, poke: Callable[[], None]) -> None:
        """Set going what the transaction announced and began, now that it has committed."""
        if self.published:
            poke()
        for then in self._then:
            then()

    async def flush(self) -> None:
        """Send the writes held back so far."""
        await self.session.flush()

    async def execute(self, sql: str, *args: object) -> None:
        """Run SQL."""
        self.uncommitted = True
        await self._execute(sql, *args)

    async def fetch(self, kind: type[T], sql: str, *args: object) -> list[T]:
        """Run SQL and read its rows."""
        self.uncommitted = self.uncommitted or sql.lstrip()[:6].lower() != "select"
        return [read_stored(row, kind, "an SQL query") for row in await self.session.fetch(sql, *args)]
