"""Which records a service keeps."""

import sys

from shoal.service.declare import Service
from shoal.service.marks import event_mark, record_mark
from shoal.service.personal import personal_fields


def records_of(service: Service) -> list[type]:
    """Collect the records that a service's module knows, and those of its projections."""
    known = vars(sys.modules[service.module]).values()
    projected = [kind for projection in service.projections for kind in projection.records]
    return [v for v in dict.fromkeys([*filter(_is_type, known), *projected]) if hasattr(v, "__shoal_record__")]


def personal_data(service: Service) -> tuple[str, ...]:
    """Name every personal field that a service keeps, announces or hears, as ``table.field`` and ``event.field``."""
    kept = [
        f"{record_mark(kind).table}.{field.name}"
        for kind in records_of(service)
        for field in personal_fields(kind, record_mark(kind).key)
    ]
    hearings = [hearing for projection in service.projections for hearing in projection.hearings]
    heard = [(s.kind, s.chains) for s in service.subscriptions] + [(h.kind, h.chains) for h in hearings]
    kinds = [kind for own, chains in heard for kind in (own, *(chain.kind for chain in chains))]
    events = [(event_mark(kind), kind) for kind in (*service.publishes, *kinds)]
    said = [f"{mark.id}.{field.name}" for mark, kind in events for field in personal_fields(kind, mark.key)]
    return tuple(dict.fromkeys([*kept, *said]))


def _is_type(value: object) -> bool:
    return isinstance(value, type)
