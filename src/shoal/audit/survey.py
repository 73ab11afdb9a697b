"""Read everything once: streams, lags, outboxes and inboxes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shoal.audit import streams
from shoal.audit.letters import buried
from shoal.audit.streams import Book
from shoal.audit.subject import Letter, Subject
from shoal.audit.trail import Trail, follow
from shoal.drivers.base import BrokerAdmin
from shoal.model import names
from shoal.model.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was read."""

    books: Mapping[str, Book] = field(default_factory=dict)
    """By stream."""
    absent: tuple[str, ...] = ()
    """Planned streams that the broker does not have."""
    lags: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By stream and consumer."""
    letters: frozenset[Letter] = frozenset()
    trails: Mapping[str, Trail] = field(default_factory=dict)
    """By producer."""


async def survey(subject: Subject) -> Survey:
    """Read the broker first: what is announced meanwhile is then missing in it, and is counted as in flight."""
    books: dict[str, Book] = {}
    lags: dict[str, Mapping[str, int]] = {}
    planned = [stream.name for stream in subject.plan.streams]
    absent: tuple[str, ...] = ()
    if subject.broker is not None:
        present = await subject.broker.positions()
        absent = tuple(name for name in planned if name not in present)
        for name in filter(present.__contains__, planned):
            subject.progress(f"stream {name}: {present[name].count} messages")
            books[name], lags[name] = await _stream(subject, subject.broker, name)
    letters = buried(subject.plan, books)
    trails: dict[str, Trail] = {}
    for service in producers(subject.plan):
        if service in subject.stores:
            subject.progress(f"outbox of {service}")
            book = books.get(names.stream(subject.plan.system.name, service))
            trails[service] = await follow(subject, service, book, letters)
    return Survey(books=books, absent=absent, lags=lags, letters=letters, trails=trails)


def producers(plan: Plan) -> tuple[str, ...]:
    """List the services that announce anything."""
    return tuple(service.name for service in plan.system.services if service.publishes)


async def _stream(subject: Subject, broker: BrokerAdmin, name: str) -> tuple[Book, Mapping[str, int]]:
    return await streams.read(broker, name, subject.secrets), await broker.lags(name)
