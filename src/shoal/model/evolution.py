"""Compare the locked contracts with the declared system: what is new, what is gone, what breaks whom."""

from collections.abc import Iterable, Iterator
from typing import Any

from shoal.model.change import Change, subscribers, words
from shoal.model.compatibility import compare
from shoal.model.contracts import Locked, LockedEvent, declared
from shoal.model.evolution_http import http_changes
from shoal.model.service import Event
from shoal.model.system import System


def evolve(locked: Locked, system: System) -> tuple[Change, ...]:
    """List every difference between the locked contracts and those of `system`, breaking ones first in each contract.

    Raises:
        ContractError: A locked document is not of the form that we write.
    """
    now = declared(system)
    found = [*_events(locked, now, system), *http_changes(locked, now, system)]
    return tuple(sorted(found, key=lambda change: (change.file, change.contract, not change.breaking)))


def _events(locked: Locked, now: Locked, system: System) -> Iterator[Change]:
    before, after = {e.id: e for e in locked.events}, {e.id: e for e in now.events}
    models = {e.id: e for service in system.services for e in service.publishes}
    for event in sorted(before.keys() | after.keys()):
        if event not in before:
            yield _change(after[event], system, models, rule="added", message="the event is new")
        elif event in after:
            yield from _event(before[event], after[event], system, models)
        elif lost := _deaf(system, event):
            yield _gone(before[event], system, models, lost)
        elif not subscribers(system, event):  # else an upcaster still reads what is left of it
            yield _gone(before[event], system, models)


def _event(before: LockedEvent, after: LockedEvent, system: System, models: dict[str, Event]) -> Iterator[Change]:
    breaking = list(_breaking(before, after, system, models)) if before != after else []
    yield from breaking
    if not breaking and (before.schema, before.named) != (after.schema, after.named):
        back = compare(after.schema, before.schema, "sent", known=after.named, now=before.named)
        places = ", ".join(dict.fromkeys(clash.path for clash in back)) or "wording"
        yield _change(after, system, models, rule="compatible", path=places, message="changed, and readers stay able")


def _breaking(before: LockedEvent, after: LockedEvent, system: System, models: dict[str, Event]) -> Iterator[Change]:
    for clash in compare(before.schema, after.schema, "sent", known=before.named, now=after.named):
        yield _change(
            after,
            system,
            models,
            rule=clash.kind,
            path=clash.path,
            message=words(clash, "sent"),
            old=clash.old,
            new=clash.new,
            breaking=True,
        )
    pairs = (
        ("key", "the events are ordered by something else", before.key or "no key", after.key or "no key"),
        ("mode", "the events travel in another content mode", before.mode, after.mode),
    )
    for rule, message, old, new in pairs:
        if old != new:
            yield _change(after, system, models, rule=rule, message=message, old=old, new=new, breaking=True)


def _gone(event: LockedEvent, system: System, models: dict[str, Event], deaf: tuple[str, ...] = ()) -> Change:
    """Judge a version that is published no more: harmless once a newer one is, and nobody here waits for the old."""
    newer = _newer(event.id, models)
    if not newer:
        return _change(event, system, models, rule="removed", message="the event is gone", breaking=True)
    message = f"the version is gone, {max(newer, key=_version)} has taken its place"
    if deaf:
        message += "; what streams and journals still hold of it is not accepted any more: add an upcaster"
    return _change(event, system, models, rule="superseded", message=message, breaks=deaf)


def _deaf(system: System, event: str) -> tuple[str, ...]:
    """Name the handlers and projections that take a newer version of an event and not this one."""
    handlers = [
        (f"{service.name}.{s.handler} ({s.source})", s.heard)
        for service in system.services
        for s in service.subscriptions
    ]
    projections = [
        (f"projection {p.name} of {service.name} ({p.source})", p.events)
        for service in system.services
        for p in service.projections
    ]
    return tuple(name for name, heard in (*handlers, *projections) if event not in heard and _newer(event, heard))


def _newer(event: str, ids: Iterable[str]) -> list[str]:
    name, _, version = event.rpartition(".v")
    same = [id_ for id_ in ids if id_.rpartition(".v")[0] == name]
    return [id_ for id_ in same if version.isdigit() and _version(id_) > int(version)]


def _version(event: str) -> int:
    version = event.rpartition(".v")[2]
    return int(version) if version.isdigit() else 0


def _change(event: LockedEvent, system: System, models: dict[str, Event], **told: Any) -> Change:
    model, service = models.get(event.id), next((s for s in system.services if s.name == event.service), None)
    where = model.source if model else service.source if service else ""
    told.setdefault("breaking", False)
    told.setdefault("breaks", subscribers(system, event.id) if told["breaking"] else ())
    return Change(contract=event.id, service=event.service, file=event.path, where=where, **told)
