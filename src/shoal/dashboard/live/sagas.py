"""Sagas for their page: counted by state, listed, one with its timeline, tried again and undone."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from shoal import model
from shoal.operating import sagas
from shoal.operating.engines import Engines
from shoal.runtime.sagas import operator
from shoal.runtime.sagas.instances import Instance

STATES = ("running", "retrying", "compensating", "parked", "completed", "compensated")
"""Those of the journal, and *retrying*: under way, with an attempt behind it that failed."""


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which saga is meant."""

    id: str
    service: str = ""
    force: bool = False
    """Undo it although nobody knows whether its pivot happened."""


def state_of(saga: Instance) -> str:
    """Say how a saga is: one that waits after a failed attempt is retrying, not merely running."""
    return "retrying" if saga.is_active and saga.tries else saga.status


async def listed(running: Engines, states: Sequence[str] = (), service: str = "") -> dict[str, Any]:
    """List sagas, those that changed last first, and count all of them by state."""
    found = await sagas.listed(running, (), service)
    counts = Counter(state_of(saga) for _, saga in found)
    items = [_plain(name, saga) for name, saga in found if not states or state_of(saga) in states]
    return {
        "counts": {state: counts.get(state, 0) for state in STATES},
        "items": items,
        "kinds": kinds(running.plan.system),
    }


def kinds(system: model.System) -> list[dict[str, Any]]:
    """List the sagas that are declared, with their steps."""
    return [
        {"service": s.name, "name": kind.name, "source": kind.source, "steps": [step.name for step in kind.steps]}
        for s in system.services
        for kind in s.sagas
    ]


async def one(running: Engines, name: str, service: str = "") -> dict[str, Any]:
    """Return a saga with its steps and every attempt."""
    async with sagas.held(running, name, service) as held:
        return {**await sagas.whole(held), "shown": state_of(held.saga), "trace_id": _trace(held.saga)}


async def retry(running: Engines, wish: Wish) -> dict[str, Any]:
    """Let a parked saga go on, with all its attempts again."""
    async with sagas.held(running, wish.id, wish.service) as held:
        return _plain(held.service, await operator.retry(held.store, held.kind, held.saga, datetime.now(UTC)))


async def compensate(running: Engines, wish: Wish) -> dict[str, Any]:
    """Undo a saga, step by step."""
    async with sagas.held(running, wish.id, wish.service) as held:
        after = await operator.compensate(held.store, held.kind, held.saga, datetime.now(UTC), force=wish.force)
        return _plain(held.service, after)


def _plain(service: str, saga: Instance) -> dict[str, Any]:
    return {"service": service, "shown": state_of(saga), "trace_id": _trace(saga), **sagas.plain(saga)}


def _trace(saga: Instance) -> str:
    """Take the trace's id out of a ``traceparent``."""
    parts = saga.trace.split("-")
    return parts[1] if len(parts) > 1 else ""
