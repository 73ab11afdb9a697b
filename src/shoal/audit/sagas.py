"""The promise that every saga ends: done to its last step, undone to its first, or parked where an operator sees it."""

from collections import Counter

from shoal.audit.subject import Subject
from shoal.audit.survey import Survey
from shoal.drivers.base import Query, Store
from shoal.runtime.sagas.instances import ACTIVE, SAGAS_TABLE, Instance, from_row
from shoal.service.audit import Verdict

PAGE = 5000
"""Sagas read at a time."""


async def ended(subject: Subject, _: Survey) -> Verdict:
    """Look for sagas that are still under way, and for compensated ones with something left to undo."""
    counts: Counter[str] = Counter(completed=0, compensated=0, parked=0)
    violations = []
    for service, store in with_sagas(subject).items():
        for saga in await _all(store):
            counts[saga.status] += 1
            if saga.status in ACTIVE:
                violations.append(
                    f"{saga.id} of {service} is still {saga.status} at {saga.step}: {saga.error or 'due'}"
                )
            elif saga.status == "compensated" and saga.done:
                violations.append(f"{saga.id} of {service} is compensated, but for {', '.join(saga.done)}")
    return Verdict(counts=dict(counts), violations=tuple(violations))


async def under_way(subject: Subject) -> int:
    """Count the sagas that something is still to be done for."""
    count = 0
    for store in with_sagas(subject).values():
        async with store.session() as session:
            for status in ACTIVE:
                count += await session.count(SAGAS_TABLE, {"status": status})
    return count


def with_sagas(subject: Subject) -> dict[str, Store]:
    """Give the stores of the services that have sagas."""
    return {
        service.name: subject.stores[service.name]
        for service in subject.plan.system.services
        if service.sagas and service.name in subject.stores
    }


async def _all(store: Store) -> list[Instance]:
    found: list[Instance] = []
    query = Query(order=("id",), limit=PAGE)
    async with store.session() as session:
        while page := await session.find(SAGAS_TABLE, query):
            found += [from_row(row) for row in page]
            query = Query(order=("id",), limit=PAGE, above={"id": page[-1]["id"]})
    return found
