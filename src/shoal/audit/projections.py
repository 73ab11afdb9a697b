"""The promises about read models: each follows from its journal, and the journal has no gap."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping

from shoal.audit.subject import Subject
from shoal.audit.survey import Survey
from shoal.drivers.base import Query, Store
from shoal.runtime.projections.fold import Fold, compile_fold
from shoal.runtime.projections.standing import is_quiet
from shoal.runtime.projections.tables import JOURNAL, PARKED, Entry, read
from shoal.runtime.projections.verify import verify
from shoal.service.audit import Verdict
from shoal.service.declare import Service

PAGE = 2000
"""Entries of a journal read at a time."""


async def as_folded(subject: Subject, _: Survey) -> Verdict:
    """Fold the events of every read model anew, beside it, and compare record by record."""
    counts = {"projections": 0, "events": 0, "records": 0}
    violations: list[str] = []
    unread = {name: why for name, why in subject.sealed.items() if name in _stores(subject)}
    for name, store in _stores(subject).items():
        if name in unread:
            continue
        subject.progress(f"read models of {name}")
        for each in await verify(store, _declared(subject, name)):
            counts["projections"] += 1
            counts["events"] += each.comparison.events
            counts["records"] += each.comparison.rows
            violations += [f"{name}: {text}" for text in each.complaints]
            if each.standing.state == "outdated":
                violations.append(f"{name}: {each.standing.name} was built by older handlers")
    unchecked = "; ".join(f"{name} stays sealed: {why}" for name, why in unread.items())
    return Verdict(counts=counts, violations=tuple(violations), unchecked=unchecked)


async def gap_free(subject: Subject, _: Survey) -> Verdict:
    """See that places, and the numbers of each key, run from one without a gap."""
    violations: list[str] = []
    entries = keys = 0
    for name, store in _stores(subject).items():
        subject.progress(f"journal of {name}")
        places: list[int] = []
        ordinals, numbers = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
        async for entry in _journal(store):
            entries += 1
            if entry.ordinal == PARKED:
                violations.append(f"{entry.id} of {name} waits for an earlier event of {entry.key}")
            elif entry.position is None:
                violations.append(f"{entry.id} of {name} has no place in the journal")
            else:
                places.append(entry.position)
                ordinals[entry.key].append(entry.ordinal)
                if entry.number is not None:
                    numbers[entry.key].append(entry.number)
        ordinals.pop("", None)
        keys += len(ordinals)
        violations += _gaps(f"places in the journal of {name}", {"": places})
        violations += [*_gaps(f"events in the journal of {name}", ordinals)]
        violations += [*_gaps(f"numbers in the journal of {name}", numbers, first=False)]
    return Verdict(counts={"entries": entries, "keys": keys}, violations=tuple(violations))


async def unfolded(subject: Subject) -> bool:
    """Tell whether something that was heard is still to be folded."""
    return not all([await is_quiet(store, folds_of(subject, name)) for name, store in _stores(subject).items()])


def folds_of(subject: Subject, service: str) -> list[Fold]:
    """Compile the projections of a service."""
    return [compile_fold(projection) for projection in _declared(subject, service).projections]


def _declared(subject: Subject, service: str) -> Service:
    return next(each for each in subject.declared.services if each.name == service)


def _stores(subject: Subject) -> dict[str, Store]:
    """Give the stores of the services that have projections."""
    return {
        service.name: subject.stores[service.name]
        for service in subject.plan.system.services
        if service.projections and service.name in subject.stores
    }


async def _journal(store: Store) -> AsyncIterator[Entry]:
    query = Query(order=("id",), limit=PAGE)
    async with store.session() as session:
        while page := await session.find(JOURNAL.table, query):
            for row in page:
                yield read(row, Entry)
            query = Query(order=("id",), limit=PAGE, above={"id": page[-1]["id"]})


def _gaps(what: str, numbered: Mapping[str, Iterable[int]], *, first: bool = True) -> list[str]:
    """Name the keys whose numbers do not run without a gap, from 1 if it is `first`."""
    found = []
    for key, numbers in numbered.items():
        ordered = sorted(numbers)
        start = 1 if first or not ordered else ordered[0]
        if ordered != list(range(start, start + len(ordered))):
            found.append(f"{what}{f' of {key}' if key else ''} do not run without a gap")
    return found
