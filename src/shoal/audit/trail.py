"""Follow every event from the outbox of its producer, through the broker's stream, into the inbox of who hears it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from shoal.audit.streams import Book, Stamp
from shoal.audit.subject import Letter, Subject
from shoal.drivers.base import Announced, Mark, Store
from shoal.model.names import remembered
from shoal.model.system import System

PAGE = 5000
"""Rows of an outbox read at a time."""


@dataclass(slots=True)
class Trail:
    """What became of the events of one producer, within the window."""

    announced: int = 0
    waiting: list[str] = field(default_factory=list)
    """Ids that the broker has not acknowledged."""
    refused: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Acknowledged ids that the stream does not hold."""
    handled: int = 0
    unhandled: list[str] = field(default_factory=list)
    dead: int = 0
    """Events that a consumer gave up on; they lie among its dead letters."""


def audience(system: System) -> Mapping[str, tuple[str, ...]]:
    """Tell which services hear an event type, older versions included."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for service in system.services:
        for subscription in service.subscriptions:
            for heard in subscription.heard:
                found[heard].append(service.name)
    return {event: tuple(services) for event, services in found.items()}


async def follow(subject: Subject, service: str, book: Book | None, letters: frozenset[Letter]) -> Trail:
    """Follow the events of one producer; those without a stream cannot be followed any further than the outbox."""
    trail = Trail()
    hearers = audience(subject.plan.system)
    async for page in _pages(subject.stores[service], subject):
        trail.announced += len(page)
        trail.refused += [f"{row.id} of {service}: {row.refused}" for row in page if row.refused]
        trail.waiting += [f"{row.id} of {service}" for row in page if row.sequence is None and not row.refused]
        sent = [row for row in page if row.sequence is not None]
        if book is not None:
            trail.lost += [
                f"{row.id} of {service}, once at {row.sequence}" for row in sent if row.id not in book.stamps
            ]
            stamps = [book.stamps[row.id] for row in page if row.id in book.stamps]
            await _inboxes(subject, stamps, hearers, letters, trail)
    return trail


async def _pages(store: Store, subject: Subject) -> AsyncIterator[Sequence[Announced]]:
    oldest, above = subject.now() - subject.window, 0
    while page := await store.announced(above, PAGE):
        yield [row for row in page if row.at >= oldest]
        above = page[-1].position


async def _inboxes(
    subject: Subject,
    stamps: Sequence[Stamp],
    hearers: Mapping[str, tuple[str, ...]],
    letters: frozenset[Letter],
    trail: Trail,
) -> None:
    wanted: defaultdict[str, list[Mark]] = defaultdict(list)
    for stamp in stamps:
        for hearer in hearers.get(stamp.type, ()):
            wanted[hearer].append(Mark(consumer=remembered(stamp.type), message_id=stamp.event, at=stamp.made))
    for hearer, marks in wanted.items():
        found = await subject.stores[hearer].handled(marks)
        missing = [mark for mark in marks if mark not in found]
        buried = [mark for mark in missing if (hearer, mark.message_id) in letters]
        trail.handled += len(found)
        trail.dead += len(buried)
        trail.unhandled += [f"{m.message_id} ({m.consumer}) by {hearer}" for m in missing if m not in buried]
