"""Aggregates that are the sum of their facts, for services that keep a ledger rather than a balance."""

import hashlib
import typing
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, Protocol, Self, TypeVar

import msgspec

from shoal.errors import DeclarationError
from shoal.model.names import check_label
from shoal.service import codec
from shoal.service.marks import EventMark, fact_mark, field_names
from shoal.service.source import of_class
from shoal.service.upcasting import Chain, Upcast, chains

C = TypeVar("C")
F = TypeVar("F")
F_contra = TypeVar("F_contra", contravariant=True)
C_co = TypeVar("C_co", covariant=True)


class Folded(Protocol[F_contra, C_co]):
    """What every aggregate is: a state, and what a fact makes of it."""

    def apply(self, fact: F_contra, /) -> C_co:
        """Return the state after a fact: pure, and without refusing anything, for it has happened."""
        ...


class Recorded(msgspec.Struct, Generic[F], frozen=True, kw_only=True):
    """One fact of an aggregate, as it was recorded."""

    version: int
    """Its place, from 1 without gaps."""
    at: datetime
    fact: F


class AggregateMark(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What `aggregate` says about a class."""

    kind: type
    name: str
    key: str
    version: int
    snapshot_every: int
    facts: tuple[type, ...]
    chains: tuple[Chain, ...]
    source: str

    @cached_property
    def shape(self) -> str:
        """Name the shape of its state: a snapshot of another shape is not read."""
        schema = msgspec.json.encode(codec.schemas([self.kind]), order="deterministic")
        return f"{self.version}.{hashlib.sha256(schema).hexdigest()[:12]}"


def fact(name: str, *, version: int = 1) -> Callable[[type[C]], type[C]]:
    """Declare a class as something that happens to an aggregate.

    Args:
        name: DNS label under which it is stored for ever; unique within its aggregate.
        version: Version of its shape, from 1. Older ones are read through `upcast` functions.
    """

    def mark(cls: type[C]) -> type[C]:
        place = of_class(cls)
        check_label("fact", name, where=place)
        if version < 1:
            raise DeclarationError(f"fact {name} has version {version}", hint="count from 1", where=place)
        cls.__shoal_fact__ = EventMark(name=name, version=version, key="", source=place)  # type: ignore[attr-defined]
        return cls

    return mark


def aggregate(
    name: str, *, key: str, version: int = 1, snapshot_every: int = 1, upcasters: Sequence[Upcast[Any, Any]] = ()
) -> Callable[[type[C]], type[C]]:
    """Declare a class as an aggregate: the fold of its facts by its method ``apply(self, fact: A | B) -> Self``.

    Args:
        name: DNS label under which its facts are stored for ever; unique within the service's store.
        key: Field that identifies it; every other field needs a default, which is what it is before its first fact.
        version: To be counted up when `apply` makes something else of the same facts: older snapshots are then made
            anew.
        snapshot_every: Facts between snapshots. Where the state is small, one after every fact costs least.
        upcasters: Ways from older versions of its facts, declared with `upcast`; they may build a chain.
    """

    def mark(cls: type[C]) -> type[C]:
        place = of_class(cls)
        check_label("aggregate", name, where=place)
        _check_fields(cls, name, key, place)
        if version < 1 or snapshot_every < 1:
            raise DeclarationError(
                f"aggregate {name} has version={version}, snapshot_every={snapshot_every}",
                hint="count both from 1",
                where=place,
            )
        facts = _facts(cls, name, place)
        cls.__shoal_aggregate__ = AggregateMark(  # type: ignore[attr-defined]
            kind=cls,
            name=name,
            key=key,
            version=version,
            snapshot_every=snapshot_every,
            facts=facts,
            chains=_ways(facts, upcasters, place),
            source=place,
        )
        return cls

    return mark


def aggregate_mark(cls: type) -> AggregateMark:
    """Return what `aggregate` said about a class, or raise `DeclarationError`."""
    found = getattr(cls, "__shoal_aggregate__", None)
    if isinstance(found, AggregateMark):
        return found
    raise DeclarationError(
        f"{cls.__name__} is not an aggregate", hint='decorate it: @aggregate("name", key="id")', where=of_class(cls)
    )


def _check_fields(cls: Any, name: str, key: str, place: str) -> None:
    if key not in field_names(cls):
        raise DeclarationError(
            f"aggregate {name} is identified by {key!r}, which {cls.__name__} does not have",
            hint=f"its fields are: {', '.join(field_names(cls))}",
            where=place,
        )
    hint = typing.get_type_hints(cls)[key]
    if getattr(hint, "__supertype__", hint) is not str:
        raise DeclarationError(
            f"aggregate {name} is identified by {key!r}, which is no text", hint=f"write {key}: str", where=place
        )
    try:
        cls(**{key: ""})
    except (TypeError, ValueError) as error:
        raise DeclarationError(
            f"aggregate {name} has no state before its first fact: {error}",
            hint=f"give every field of {cls.__name__} but {key} a default",
            where=place,
        ) from error


def _facts(cls: type, name: str, place: str) -> tuple[type, ...]:
    """Read the facts from the annotation of ``apply``."""
    wanted = f"write: def apply(self, fact: Opened | Closed) -> {cls.__name__}"
    apply = vars(cls).get("apply")
    if not callable(apply):
        raise DeclarationError(f"aggregate {name} has no method apply", hint=wanted, where=place)
    try:
        hints = typing.get_type_hints(apply, localns={cls.__name__: cls})
    except NameError as error:
        raise DeclarationError(
            f"an annotation of {cls.__name__}.apply cannot be resolved: {error}",
            hint="define the facts above the aggregate",
            where=place,
        ) from error
    returned, given = hints.pop("return", None), list(hints.values())
    if returned not in (cls, Self) or len(given) != 1:
        raise DeclarationError(f"{cls.__name__}.apply does not fold one fact into the state", hint=wanted, where=place)
    kinds = typing.get_args(given[0]) or (given[0],)
    names = [fact_mark(kind).name for kind in kinds]
    if twice := [found for found in names if names.count(found) > 1]:
        raise DeclarationError(
            f"aggregate {name} has two facts {twice[0]!r}",
            hint="rename one; of several versions, apply takes the newest and @upcast leads there",
            where=place,
        )
    return tuple(kinds)


def _ways(facts: tuple[type, ...], upcasters: Sequence[Any], place: str) -> tuple[Chain, ...]:
    by_name: dict[str, list[Upcast[Any, Any]]] = {fact_mark(kind).name: [] for kind in facts}
    for given in upcasters:
        if not isinstance(given, Upcast):
            name = getattr(given, "__name__", repr(given))
            raise DeclarationError(f"{name} is no upcaster", hint="decorate it with @upcast", where=place)
        if not hasattr(given.old, "__shoal_fact__") or fact_mark(given.old).name not in by_name:
            raise DeclarationError(
                f"upcaster {given.__name__} leads to no fact of this aggregate",
                hint="name its newest version in the annotation of apply",
                where=given.source,
            )
        by_name[fact_mark(given.old).name].append(given)
    return tuple(chain for kind in facts for chain in chains(kind, by_name[fact_mark(kind).name], place))
