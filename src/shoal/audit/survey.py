"""Read everything once: streams, lags, outboxes and inboxes."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from shoal.audit import streams
from shoal.audit.letters import buried
from shoal.audit.streams import Book
from shoal.audit.subject import Letter, Subject
from shoal.audit.trail import Trail, follow
from shoal.model import catalog, names
from shoal.model.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was read."""

    books: Mapping[str, Book] = field(default_factory=dict)
    """By stream."""
    absent: tuple[str, ...] = ()
    """Planned streams that the broker does not have."""
    unread: str = ""
    """Why streams of events were not read; empty when they were."""
    lags: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By stream and consumer."""
    uncounted: str = ""
    """Why lags are not known; empty when they are."""
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
            lags[name] = await subject.broker.lags(name)
        for name in _readable(subject, present):
            subject.progress(f"stream {name}: {present[name].count} messages")
            books[name] = await streams.read(subject.broker, name, subject.secrets)
    letters = buried(subject.plan, books)
    trails: dict[str, Trail] = {}
    for service in producers(subject.plan):
        if service in subject.stores:
            subject.progress(f"outbox of {service}")
            book = books.get(names.stream(subject.plan.system.name, service))
            trails[service] = await follow(subject, service, book, letters)
    return Survey(
        books=books, absent=absent, lags=lags, letters=letters, trails=trails, unread=_unread(subject.plan),
        uncounted=_without(subject.plan, "lags", "does not say what is unanswered"),
    )  # fmt: skip


def producers(plan: Plan) -> tuple[str, ...]:
    """List the services that announce anything."""
    return tuple(service.name for service in plan.system.services if service.publishes)


def _readable(subject: Subject, present: Container[str]) -> list[str]:
    """List the streams that the broker lets an operator read."""
    unread = _unread(subject.plan)
    return [s.name for s in subject.plan.streams if s.name in present and (s.letters or not unread)]


def _unread(plan: Plan) -> str:
    return _without(plan, "log", "keeps no event that was handled")


def _without(plan: Plan, capability: str, what: str) -> str:
    """Say what the plan's broker does for want of a capability; empty when it has it."""
    row = catalog.engine(plan.target.broker)
    return "" if capability in row.capabilities else f"broker {row.name} {what}"
