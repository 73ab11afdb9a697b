"""Run the seeds of a service that its store has not seen; a receipt remembers each."""

import asyncio
import logging
from collections.abc import Mapping

from shoal.drivers.base import Receipt, Store
from shoal.errors import Conflict
from shoal.runtime.deadline import Budget
from shoal.runtime.inject import Plan
from shoal.runtime.recording import closed, opened
from shoal.runtime.request import Request
from shoal.runtime.trace import Context, begin, current
from shoal.runtime.transaction import Announcer, UnitOfWork
from shoal.service.declare import SeedDeclaration, Service
from shoal.telemetry.spans import INTERNAL

_log = logging.getLogger("shoal.host")

SEED_TIMEOUT = 120.0
"""Seconds that one seed may take."""


async def sow(service: Service, store: Store, announcer: Announcer, plans: Mapping[str, Plan]) -> None:
    """Run what was not run yet, each in a transaction of its own; `plans` say how to call them, by name."""
    for seed in service.seeds:
        key = f"seed\n{seed.name}"
        if await store.receipt(key) is None:
            await asyncio.create_task(_sow_one(store, announcer, seed, plans[seed.name], key))


async def _sow_one(store: Store, announcer: Announcer, seed: SeedDeclaration, plan: Plan, key: str) -> None:
    trace, span = opened(begin(), INTERNAL, f"seed {seed.name}")
    context = Context(trace, Budget(SEED_TIMEOUT), span=span)
    current.set(context)
    failure: BaseException | None = None
    request = Request({"path": "", "query_string": b""}, {}, (), context)
    try:
        async with store.session() as session:
            session.answer(Receipt(key=key, fingerprint="", status=200, headers=(), body=b"", lasting=True))
            request.transaction = UnitOfWork(session, announcer)
            await seed.handler(**plan.arguments(request))
    except Conflict as error:  # with the receipt, or with a row of the replica that was quicker
        failure = error
        if await store.receipt(key) is None:
            raise
        _log.info("seed %s was sown by another replica", seed.name)
    except BaseException as error:
        failure = error
        raise
    finally:
        closed(span, failure)
