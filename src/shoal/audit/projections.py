"""The promises about read models: each follows from its journal, and the journal has no gap."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping

from shoal.audit.subject import Subject
from shoal.audit.survey import Survey
from shoal.drivers.base import Query, Store
from shoal.runtime.projections.fold import Fold, compile_fold
from shoal.runtime.projections.standing import Standing, is_quiet, standings
from shoal.runtime.projections.tables import JOURNAL, PARKED, Entry, read
from shoal.service.audit import Verdict

PAGE = 2000
"""Entries of a journal read at a time."""


async def caught_up(subject: Subject, _: Survey) -> Verdict:
    """Look for projections that have not folded all that they heard."""
    found = [
        (name, each) for name, store in _stores(subject).items() for each in await _standings(subject, name, store)
    ]
    violations = [f"{each.name} of {name} is {text}" for name, each in found if (text := _complaint(each))]
    counts = {"projections": len(found), "events": sum(each.events for _, each in found)}
    return Verdict(counts=counts, violations=tuple(violations))


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
        violations += _gaps(f"the journal of {name}", {"": places})
        violations += [*_gaps(f"events in the journal of {name}", ordinals)]
        violations += [*_gaps(f"numbers in the journal of {name}", numbers, first=False)]
    return Verdict(counts={"entries": entries, "keys": keys}, violations=tuple(violations))


async def unfolded(subject: Subject) -> bool:
    """Tell whether something that was heard is still to be folded."""
    return not all([await is_quiet(store, folds_of(subject, name)) for name, store in _stores(subject).items()])


def folds_of(subject: Subject, service: str) -> list[Fold]:
    """Compile the projections of a service."""
    declared = next(each for each in subject.declared.services if each.name == service)
    return [compile_fold(projection) for projection in declared.projections]


def _stores(subject: Subject) -> dict[str, Store]:
    """Give the stores of the services that have projections."""
    return {
        service.name: subject.stores[service.name]
        for service in subject.plan.system.services
        if service.projections and service.name in subject.stores
    }


async def _standings(subject: Subject, service: str, store: Store) -> list[Standing]:
    return await standings(store, folds_of(subject, service))


def _complaint(standing: Standing) -> str:
    if standing.state == "stalled":
        return f"stalled: {standing.error}"
    if standing.state == "outdated":
        return "built by older handlers: rebuild it"
    return f"{standing.behind} events behind" if standing.behind else ""


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
            found.append(f"{key or 'the order'}: {what} have a gap or a number twice")
    return found
