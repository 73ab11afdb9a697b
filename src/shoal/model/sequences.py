"""Numbered events: who checks that none of them is missing must hear all of them. Pure."""

from collections.abc import Iterable, Sequence

from shoal.errors import DeclarationError
from shoal.model.service import Event, Service


def check_sequences(services: Sequence[Service]) -> None:
    """Refuse projections of a service that hear some of a sequence's events and not the others."""
    owners = {service.name: service for service in services}
    for service in services:
        heard = {name_of(event) for projection in service.projections for event in projection.events}
        for owner in {name.partition(".")[0] for name in heard} & owners.keys():
            for members in _sequences(owners[owner].publishes):
                _check(service, heard, members)


def name_of(event: str) -> str:
    """Take the version off an event's id."""
    return event.rpartition(".v")[0]


def _sequences(events: Iterable[Event]) -> list[dict[str, Event]]:
    """Group an owner's numbered events: those that are keyed by one field are numbered together."""
    found: dict[str, dict[str, Event]] = {}
    for event in events:
        if event.sequence:
            found.setdefault(event.key, {})[event.name] = event
    return list(found.values())


def _check(service: Service, heard: set[str], members: dict[str, Event]) -> None:
    missing = sorted(members.keys() - heard)
    known = sorted(members.keys() & heard)
    if known and missing:
        source = next(p.source for p in service.projections if any(name_of(e) in known for e in p.events))
        raise DeclarationError(
            f"projections of {service.name} hear {known[0]}, which is numbered together with {missing[0]}; "
            "they could not tell one that they do not hear from one that is missing",
            hint=f"let a projection of {service.name} hear {missing[0]} too, or declare the events without sequence=",
            where=source,
        )
