"""Engines chosen for one run: ``broker=kafka``, ``orders.store=memory``, ``products.search=opensearch``. Pure."""

from collections.abc import Iterable, Mapping

import msgspec

from shoal.errors import DeclarationError
from shoal.model import catalog
from shoal.model.catalog import Kind
from shoal.model.system import System
from shoal.model.target import HERE, Target

OPTION = "--engine"

BROKER: Kind = "broker"
STORE: Kind = "store"
OBJECTS: Kind = "objects"
SEARCH: Kind = "search"
WAREHOUSE: Kind = "warehouse"

_ELSEWHERE = "a laptop's warehouse is DuckDB; set SHOAL_WAREHOUSE_URL to use another (docs/how-to/warehouse.md)"


def choose(target: Target, system: System, choices: Iterable[str]) -> Target:
    """Return `target` with other engines.

    Args:
        target: What is chosen without.
        system: Whose parts are chosen for.
        choices: ``broker=ENGINE``, ``SERVICE.store=ENGINE``, and likewise ``objects`` and ``search``, and in production
            ``warehouse``; each part once.

    Raises:
        DeclarationError: There is no such part, no such service, or no such engine; the hint lists what there is.
    """
    known, found = parts(system, here=target.name == HERE), dict[str, str]()
    for choice in choices:
        part, equals, engine = choice.partition("=")
        if not equals or part not in known:
            problem = "names no part of the system" if equals else "is not NAME=ENGINE"
            hint = _ELSEWHERE if part.endswith(".warehouse") else f"choose an engine for one of: {', '.join(known)}"
            raise DeclarationError(f"{OPTION} {choice!r} {problem}", hint=hint)
        if found.get(part, engine) != engine:
            raise DeclarationError(f"{OPTION} chooses {found[part]!r} and {engine!r} for {part}", hint="say it once")
        catalog.engine(engine, kind=known[part])
        found[part] = engine
    return msgspec.structs.replace(
        target,
        broker=found.get(BROKER, target.broker),
        stores={**target.stores, **_of(found, STORE)},
        objects={**target.objects, **_of(found, OBJECTS)},
        searches={**target.searches, **_of(found, SEARCH)},
        warehouses={**target.warehouses, **_of(found, WAREHOUSE)},
    )


def parts(system: System, *, here: bool = True) -> dict[str, Kind]:
    """Name the parts of a system for which an engine can be chosen, `here` or in production, and the kind of each."""
    found: dict[str, Kind] = {BROKER: BROKER}
    found |= {f"{service.name}.{STORE}": STORE for service in system.services if service.store is not None}
    found |= {f"{service.name}.{OBJECTS}": OBJECTS for service in system.services if service.objects is not None}
    found |= {f"{service.name}.{SEARCH}": SEARCH for service in system.services if service.search is not None}
    if here:
        return found
    return found | {f"{s.name}.{WAREHOUSE}": WAREHOUSE for s in system.services if s.warehouse is not None}


def chosen(target: Target) -> tuple[str, ...]:
    """Spell the choices of a target again, as `choose` takes them."""
    broker = () if target.broker == Target().broker else (f"{BROKER}={target.broker}",)
    return (
        *broker,
        *_spelled(target.stores, STORE),
        *_spelled(target.objects, OBJECTS),
        *_spelled(target.searches, SEARCH),
        *_spelled(target.warehouses, WAREHOUSE),
    )


def _of(found: Mapping[str, str], kind: Kind) -> dict[str, str]:
    return {part.removesuffix(f".{kind}"): engine for part, engine in found.items() if part.endswith(f".{kind}")}


def _spelled(engines: Mapping[str, str], kind: Kind) -> tuple[str, ...]:
    return tuple(f"{service}.{kind}={engine}" for service, engine in sorted(engines.items()))
