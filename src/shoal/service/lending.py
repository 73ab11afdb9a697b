"""Which keys a service lends, and which it borrows: as operations and calls, so that only who is declared can ask."""

from collections.abc import Sequence

from shoal.model.names import shorten
from shoal.model.service import Call, Endpoint, Parameter, Policy
from shoal.service.access import internal
from shoal.service.declare import Service
from shoal.service.marks import event_mark
from shoal.service.personal import personal_fields

_POLICY = Policy(timeout=2.0, attempts=1)


def lending_name(event: str) -> str:
    """Name the operation that lends the keys of an event."""
    return shorten(f"lend-{event.replace('.', '-').replace('_', '-')}")


def lending_path(event: str) -> str:
    """Name the path of that operation."""
    return f"/_shoal/keys/{event}/{{ids}}"


def lent_events(service: Service) -> tuple[str, ...]:
    """List the ids of a service's own events that have personal fields."""
    return tuple(event_mark(kind).id for kind in service.publishes if _is_personal(kind))


def lending_endpoints(service: Service) -> tuple[Endpoint, ...]:
    """Describe the operations that lend keys."""
    text = {"type": "string"}
    return tuple(
        Endpoint(
            name=lending_name(event),
            method="GET",
            path=lending_path(event),
            access=internal,
            policy=_POLICY,
            parameters=(Parameter(name="ids", place="path", schema=text, required=True),),
            response={"type": "array", "items": {"type": "object"}},
            summary=f"Keys of the personal fields of {event}, for its subscribers.",
            source=service.source,
        )
        for event in lent_events(service)
    )


def borrowing_calls(service: Service) -> tuple[Call, ...]:
    """Describe whom a service asks for keys: the owners of the events with personal fields that it hears."""
    found: dict[str, Call] = {}
    for kind, source in _heard(service):
        mark = event_mark(kind)
        owner = mark.name.partition(".")[0]
        if owner != service.name and _is_personal(kind):
            found[mark.id] = Call(service=owner, endpoint=lending_name(mark.id), policy=_POLICY, source=source)
    return tuple(found.values())


def _heard(service: Service) -> Sequence[tuple[type, str]]:
    hearings = [hearing for projection in service.projections for hearing in projection.hearings]
    heard = [(s.kind, s.chains, s.source) for s in service.subscriptions]
    heard += [(h.kind, h.chains, h.source) for h in hearings]
    return [(kind, source) for own, chains, source in heard for kind in (own, *(c.kind for c in chains))]


def _is_personal(kind: type) -> bool:
    return bool(personal_fields(kind, event_mark(kind).key))
