"""`Projection`: how events become a read model in the service's own store. Declaring starts nothing."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from shoal.errors import DeclarationError
from shoal.model.names import check_label
from shoal.service.marks import EventMark, event_mark, project, record_mark
from shoal.service.source import of_caller, of_function
from shoal.service.upcasting import Chain, Upcast, chains

E = TypeVar("E")
T = TypeVar("T")


class ReadModel(Protocol):
    """The records of one projection, and nothing else.

    A projection is folded again when it is rebuilt, and must come out the same. So its handlers get no clock, no
    clients, no settings and no other records: all that they know is the event, and what earlier events left here.
    """

    async def get(self, kind: type[T], key: object) -> T | None:
        """Read one record."""
        ...

    async def find(
        self,
        kind: type[T],
        where: Mapping[str, object] | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[T]:
        """Read the records whose fields equal `where`; a tuple means any of its items, ``-field`` descends."""
        ...

    async def count(self, kind: type[Any], where: Mapping[str, object] | None = None) -> int:
        """Count the records whose fields equal `where`."""
        ...

    def put(self, record: object) -> None:
        """Write a record, replacing the one with its key."""
        ...

    def insert(self, record: object) -> None:
        """Write a new record; the projection stops when its key is taken."""
        ...

    def delete(self, kind: type[Any], key: object) -> None:
        """Remove a record."""
        ...


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """One handler of one event type in a projection."""

    event: EventMark
    kind: type
    handler: Callable[..., Awaitable[None]]
    chains: tuple[Chain, ...] = ()
    """Ways from older versions of the event."""
    source: str

    @property
    def heard(self) -> dict[str, EventMark]:
        """Every version of the event that reaches the handler, by id."""
        return {mark.id: mark for mark in (self.event, *(chain.event for chain in self.chains))}


class Projection:
    """A read model that follows from events alone: lost, it is made again from the service's journal of them.

    Args:
        name: DNS label, by which `shoal projections` knows it.
        records: Types of the records that it keeps; nothing else writes them.
        version: Version of its handlers. Raise it when they change: a model that older ones built is then shown as
            outdated until it is rebuilt.
        partial: Let a key begin at any number of its sequence, for a projection that is added when the broker has
            forgotten the first events. An event that comes too early at such a beginning is not noticed.
        source: ``file:line`` of its declaration.
    """

    def __init__(self, name: str, records: Sequence[type], *, version: int, partial: bool, source: str) -> None:
        self.name = check_label("projection", name, where=source)
        self.records = tuple(records)
        self.version, self.partial, self.source = version, partial, source
        self.hearings: list[Hearing] = []
        if not records or version < 1:
            lack = "keeps no records" if not records else f"has version {version}"
            raise DeclarationError(
                f"projection {name} {lack}", hint="write: projection(name, records=[Kind], version=1)", where=source
            )
        for kind in records:
            project(kind)

    def on(
        self, kind: type[E], *, upcasters: Sequence[Upcast[Any, Any]] = ()
    ) -> Callable[[Callable[[E, ReadModel], Awaitable[None]]], Callable[[E, ReadModel], Awaitable[None]]]:
        """Fold an event into the records. The handler takes the event and a `ReadModel`, and nothing else.

        Args:
            kind: Class of the event.
            upcasters: Ways from older versions of the event, which then reach this handler too.
        """
        place = of_caller()[1]
        mark = event_mark(kind, place)
        older = chains(kind, upcasters, place)

        def declare(handler: Callable[[E, ReadModel], Awaitable[None]]) -> Callable[[E, ReadModel], Awaitable[None]]:
            hearing = Hearing(event=mark, kind=kind, handler=handler, chains=older, source=of_function(handler))
            for known in self.hearings:
                if twice := sorted(known.heard.keys() & hearing.heard.keys()):
                    raise DeclarationError(
                        f"projection {self.name} handles {twice[0]} twice, first at {known.source}",
                        hint="make one handler of the two, or another projection",
                        where=hearing.source,
                    )
            self.hearings.append(hearing)
            return handler

        return declare

    def __repr__(self) -> str:
        """Show the name."""
        return f"Projection({self.name!r})"


class ProjectionDeclarations:
    """The part of `Service` on which projections are declared."""

    projections: list[Projection]

    def projection(self, name: str, *, records: Sequence[type], version: int = 1, partial: bool = False) -> Projection:
        """Declare a read model that follows from events, the service's own or those of others.

        Args:
            name: DNS label, by which `shoal projections` knows it.
            records: Types of the records that it keeps; nothing else writes them.
            version: Version of its handlers; raise it when they change, then rebuild.
            partial: Let a key begin at any number of its sequence; see `Projection`.
        """
        place = of_caller()[1]
        declared = Projection(name, records, version=version, partial=partial, source=place)
        for known in self.projections:
            _refuse_shared(known, declared)
        self.projections.append(declared)
        return declared


def _refuse_shared(known: Projection, declared: Projection) -> None:
    if known.name == declared.name:
        raise DeclarationError(
            f"projection {known.name} is declared twice, first at {known.source}",
            hint="rename one of them",
            where=declared.source,
        )
    tables = {record_mark(kind).table for kind in known.records}
    for kind in declared.records:
        if record_mark(kind).table in tables:
            raise DeclarationError(
                f"projections {known.name} and {declared.name} both keep {kind.__name__}",
                hint="give each its own records: one of them can be rebuilt without the other",
                where=declared.source,
            )
