"""Engines chosen for one run: ``broker=kafka``, ``orders.store=memory``. Pure."""

from collections.abc import Iterable

import msgspec

from shoal.errors import DeclarationError
from shoal.model import catalog
from shoal.model.system import System
from shoal.model.target import Target

OPTION = "--engine"

BROKER, STORE = "broker", "store"


def choose(target: Target, services: Iterable[str], choices: Iterable[str]) -> Target:
    """Return `target` with other engines.

    Args:
        target: What is chosen without.
        services: Names of those that have a store.
        choices: ``broker=ENGINE`` or ``SERVICE.store=ENGINE``, each part once.

    Raises:
        DeclarationError: There is no such part, no such service, or no such engine; the hint lists what there is.
    """
    parts = {BROKER: BROKER} | {f"{service}.{STORE}": STORE for service in sorted(services)}
    found: dict[str, str] = {}
    for choice in choices:
        part, equals, engine = choice.partition("=")
        if not equals or part not in parts:
            problem = "names no part of the system" if equals else "is not NAME=ENGINE"
            hint = f"choose an engine for one of: {', '.join(parts)}"
            raise DeclarationError(f"{OPTION} {choice!r} {problem}", hint=hint)
        if found.get(part, engine) != engine:
            raise DeclarationError(f"{OPTION} chooses {found[part]!r} and {engine!r} for {part}", hint="say it once")
        catalog.engine(engine, kind="broker" if parts[part] == BROKER else "store")
        found[part] = engine
    stores = {part.removesuffix(f".{STORE}"): engine for part, engine in found.items() if part != BROKER}
    return msgspec.structs.replace(target, broker=found.get(BROKER, target.broker), stores={**target.stores, **stores})


def stores(system: System) -> list[str]:
    """Name the services that have a store."""
    return [service.name for service in system.services if service.store is not None]


def chosen(target: Target) -> tuple[str, ...]:
    """Spell the choices of a target again, as `choose` takes them."""
    broker = () if target.broker == Target().broker else (f"{BROKER}={target.broker}",)
    return (*broker, *(f"{service}.{STORE}={engine}" for service, engine in sorted(target.stores.items())))
