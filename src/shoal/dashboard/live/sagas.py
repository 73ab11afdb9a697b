"""Sagas for their page: counted by state, listed, one with its timeline, tried again and undone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from shoal import model
from shoal.drivers.base import Store
from shoal.operating import sagas
from shoal.operating.engines import Engines
from shoal.runtime.sagas import operator
from shoal.runtime.sagas.instances import ACTIVE, Instance, Status

STATES: Mapping[str, tuple[tuple[Status, ...], bool | None]] = {
    "running": (("running",), False),
    "retrying": (ACTIVE, True),
    "compensating": (("compensating",), False),
    "parked": (("parked",), None),
    "completed": (("completed",), None),
    "compensated": (("compensated",), None),
}
"""What each is in the store: its statuses and, where that matters, whether the present step has failed before. One that
waits after a failed attempt is *retrying*, not merely running."""

PAGE = 200
"""Sagas of one answer, where nobody asks for more."""


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which saga is meant."""

    id: str
    service: str = ""
    force: bool = False
    """Undo it although nobody knows whether its pivot happened."""


def state_of(saga: Instance) -> str:
    """Say how a saga is, in words of `STATES`."""
    return "retrying" if saga.is_active and saga.tries else saga.status


async def listed(running: Engines, states: Sequence[str] = (), service: str = "", limit: int = PAGE) -> dict[str, Any]:
    """List sagas of some states, or of all, those that changed last first; count all that there are.

    What each knows is left out: `one` tells it.
    """
    counts, found = Counter[str](), list[tuple[str, Instance]]()
    async with sagas.stores(running, service) as opened:
        for declared, store in opened:
            for (status, failed), count in (await operator.tallied(store)).items():
                counts["retrying" if failed else status] += count
            found += [(declared.name, saga) for saga in await _latest(store, states, limit + 1)]
    found.sort(key=lambda pair: pair[1].updated, reverse=True)
    items = [_plain(name, saga) for name, saga in found[:limit]]
    return {
        "counts": {state: counts[state] for state in STATES},
        "items": [{name: value for name, value in item.items() if name != "state"} for item in items],
        "more": len(found) > limit,
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


async def _latest(store: Store, states: Sequence[str], limit: int) -> list[Instance]:
    if not states:
        return await operator.listed(store, limit=limit)
    wanted = [STATES[state] for state in STATES if state in states]
    found = [await operator.listed(store, statuses, limit=limit, failed=failed) for statuses, failed in wanted]
    return [saga for some in found for saga in some]


def _plain(service: str, saga: Instance) -> dict[str, Any]:
    return {"service": service, "shown": state_of(saga), "trace_id": _trace(saga), **sagas.plain(saga)}


def _trace(saga: Instance) -> str:
    """Take the trace's id out of a ``traceparent``."""
    parts = saga.trace.split("-")
    return parts[1] if len(parts) > 1 else ""
