"""Read and check what a service's projections declare."""

import inspect
import typing
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from shoal import model
from shoal.errors import DeclarationError
from shoal.model.projection import Projection as ProjectionModel
from shoal.model.service import Policy, Subscription
from shoal.service.context import Clock, Transaction
from shoal.service.declare import Service
from shoal.service.marks import EventMark, operations_of, record_mark
from shoal.service.projections import Hearing, Projection, ReadModel
from shoal.service.source import of_function

JOURNAL = "journal"
"""Name of the handler that only notes an event for the projections."""

POLICY = Policy(timeout=25.0, attempts=8, backoff=0.2)


class Roles(msgspec.Struct, frozen=True, kw_only=True):
    """Names of a handler's two parameters."""

    event: str
    model: str


def roles(hearing: Hearing) -> Roles:
    """Tell which parameter of a handler is which; `DeclarationError` for one that cannot be folded again."""
    handler, source = hearing.handler, of_function(hearing.handler)
    if not inspect.iscoroutinefunction(handler):
        raise DeclarationError(f"handler {_name(handler)} is not asynchronous", hint="write `async def`", where=source)
    kinds = _kinds(handler, source)
    found = {kind: name for name, kind in kinds.items()}
    for name, kind in kinds.items():
        if kind is not hearing.kind and kind is not ReadModel:
            raise _strange(hearing, name, kind, source)
    if set(found) != {hearing.kind, ReadModel} or len(kinds) != 2:
        raise DeclarationError(
            f"{_name(handler)} does not take one {hearing.kind.__name__} and one ReadModel",
            hint=f"write: async def {handler.__name__}(event: {hearing.kind.__name__}, records: ReadModel) -> None",
            where=source,
        )
    return Roles(event=found[hearing.kind], model=found[ReadModel])


def heard_by(service: Service) -> dict[str, EventMark]:
    """Collect every event that a projection of the service hears, by id."""
    return {id_: mark for p in service.projections for hearing in p.hearings for id_, mark in hearing.heard.items()}


def with_journal(service: Service, handled: Sequence[Subscription]) -> tuple[Subscription, ...]:
    """Add to a service's subscriptions the events that only its projections hear."""
    found = list(handled)
    for hearing in [hearing for projection in service.projections for hearing in projection.hearings]:
        event, heard = hearing.event.id, {id_ for subscription in found for id_ in subscription.heard}
        if event not in heard:
            found.append(Subscription(event=event, handler=JOURNAL, leads_to=(), policy=POLICY, source=hearing.source))
        position, known = next((p, s) for p, s in enumerate(found) if event in s.heard)
        older = sorted(hearing.heard.keys() - heard - {event})
        found[position] = msgspec.structs.replace(known, accepts=(*known.accepts, *older))
    return tuple(found)


def describe_projections(service: Service) -> tuple[model.Projection, ...]:
    """Describe a service's projections as pure data, and refuse those that could not be folded again."""
    if service.projections and service.store is None:
        raise DeclarationError(
            f"service {service.name} has projections but no store to keep their records in",
            hint=f'declare Service("{service.name}", store=Postgres())',
            where=service.source,
        )
    return tuple(_describe(projection) for projection in service.projections)


def _describe(projection: Projection) -> ProjectionModel:
    if not projection.hearings:
        raise DeclarationError(
            f"projection {projection.name} hears no event",
            hint="decorate a handler with its .on(Event)",
            where=projection.source,
        )
    for hearing in projection.hearings:
        roles(hearing)
    return ProjectionModel(
        name=projection.name,
        version=projection.version,
        events=tuple(sorted({id_ for hearing in projection.hearings for id_ in hearing.heard})),
        tables=tuple(record_mark(kind).table for kind in projection.records),
        partial=projection.partial,
        source=projection.source,
    )


def _kinds(handler: Callable[..., Any], source: str) -> dict[str, Any]:
    """Read the type of every parameter."""
    try:
        hints = typing.get_type_hints(handler)
    except NameError as error:
        raise DeclarationError(
            f"an annotation of {_name(handler)} cannot be resolved: {error}",
            hint="import the type at run time, not only under TYPE_CHECKING",
            where=source,
        ) from error
    return {name: hints.get(name) for name in inspect.signature(handler).parameters}


def _strange(hearing: Hearing, name: str, kind: Any, source: str) -> DeclarationError:
    spelled = getattr(kind, "__name__", str(kind))
    return DeclarationError(
        f"{_name(hearing.handler)} asks for {name!r}: {spelled}, but a projection is folded again when it is rebuilt, "
        "and would then get another answer",
        hint=_way_out(kind),
        where=source,
    )


def _way_out(kind: Any) -> str:
    if kind is Transaction:
        return "take a ReadModel; publish and keep other records in a handler of @service.on(...)"
    if kind is Clock:
        return "take the time from a field of the event"
    if operations_of(kind) is not None:
        return "let the event carry what is needed, or project the other service's events"
    return "take the event and a ReadModel; what else is needed belongs into the event"


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))
