"""Sagas of a running system: list them, find the one that is meant, and help those that need a person."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from shoal import model
from shoal.drivers.base import Store
from shoal.errors import DeclarationError, ShoalError
from shoal.operating.engines import Engines
from shoal.runtime.sagas import operator
from shoal.runtime.sagas.instances import Entry, Instance, Status


class Held(NamedTuple):
    """One saga, and where it was found."""

    service: str
    kind: model.Saga
    store: Store
    saga: Instance


@asynccontextmanager
async def stores(running: Engines, service: str = "") -> AsyncIterator[list[tuple[model.Service, Store]]]:
    """Open the stores of the services that have sagas, or of one of them; `DeclarationError` when it has none."""
    services = running.plan.system.services
    if service:
        running.planned(service)
    wanted = [s for s in services if s.sagas and service in ("", s.name)]
    if not wanted and service:
        having = ", ".join(s.name for s in services if s.sagas) or "none"
        raise DeclarationError(f"service {service} has no sagas", hint=f"services with sagas: {having}")
    async with AsyncExitStack() as stack:
        yield [(s, await stack.enter_async_context(running.store(s.name))) for s in wanted]


async def listed(running: Engines, statuses: Sequence[Status] = (), service: str = "") -> list[tuple[str, Instance]]:
    """List sagas with their services, those that changed last first."""
    async with stores(running, service) as opened:
        found = [(s.name, saga) for s, store in opened for saga in await operator.listed(store, statuses)]
    return sorted(found, key=lambda pair: pair[1].updated, reverse=True)


@asynccontextmanager
async def held(running: Engines, name: str, service: str = "") -> AsyncIterator[Held]:
    """Find the one saga of this id or key.

    Raises:
        ShoalError: There is none, or several have that key.
    """
    async with stores(running, service) as opened:
        found = [
            Held(declared.name, kind, store, saga)
            for declared, store in opened
            for saga in await operator.found(store, name)
            for kind in (declared.saga(saga.saga),)
            if kind is not None
        ]
        if not found:
            raise ShoalError(f"there is no saga {name!r}", hint="its id or key, as `shoal saga list --all` shows it")
        if len(found) > 1:
            ids = ", ".join(f"{one.service}: {one.saga.id}" for one in found)
            raise ShoalError(f"{name!r} is the key of several sagas", hint=f"give the id, or --service: {ids}")
        yield found[0]


def plain(saga: Instance) -> dict[str, Any]:
    """Return all that is known of a saga, for JSON."""
    found: dict[str, Any] = msgspec.to_builtins(saga)
    return {**found, "state": msgspec.json.decode(saga.state)}


async def whole(found: Held) -> dict[str, Any]:
    """Return a saga with its steps as declared and every attempt, for JSON."""
    entries = await operator.history(found.store, found.saga.id)
    steps = [msgspec.to_builtins(step) for step in found.kind.steps]
    return {"service": found.service, **plain(found.saga), "steps": steps, "journal": _known(found.saga, entries)}


def _known(saga: Instance, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Say of each attempt what the saga knew before and after it: the journal has what each change replaced."""
    after, told = msgspec.json.decode(saga.state), list[dict[str, Any]]()
    for entry in reversed(entries):
        before = after if entry.before is None else msgspec.json.decode(entry.before)
        told.append({**msgspec.to_builtins(entry), "before": before, "after": after})
        after = before
    return told[::-1]
