"""The promise that what is kept of an aggregate is the fold of its facts."""

import sys
from typing import Any

from shoal.audit.subject import Subject
from shoal.audit.survey import Survey
from shoal.errors import EngineError
from shoal.runtime.aggregates import Aggregates
from shoal.runtime.clock import SystemClock
from shoal.service.audit import Verdict
from shoal.service.declare import Service


async def as_folded(subject: Subject, _: Survey) -> Verdict:
    """Fold every aggregate from its first fact on, and compare its snapshot."""
    folded, compared = 0, 0
    violations: list[str] = []
    for service in subject.declared.services:
        store = subject.stores.get(service.name)
        if store is None:
            continue
        for kind in aggregates_of(service):
            try:
                async with store.session() as session:
                    async for state, snapshot in Aggregates(session, SystemClock()).fold(kind):
                        folded, compared = folded + 1, compared + (snapshot is not None)
                        if snapshot is not None and snapshot != state:
                            violations.append(f"{service.name} keeps {snapshot}, and its facts make {state}")
            except EngineError as error:
                violations.append(error.message)
    return Verdict(counts={"aggregates": folded, "snapshots": compared}, violations=tuple(violations))


def aggregates_of(service: Service) -> list[type[Any]]:
    """Collect the aggregates that a service's module knows."""
    known = vars(sys.modules[service.module]).values()
    return [kind for kind in known if isinstance(kind, type) and hasattr(kind, "__shoal_aggregate__")]
