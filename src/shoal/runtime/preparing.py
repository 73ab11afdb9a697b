"""Open a service's store, migrate it, and check that it fits."""

import asyncio
import logging

from shoal.drivers.base import Store
from shoal.errors import MigrationError, Unavailable
from shoal.runtime import migrations
from shoal.runtime.sides import OWN_TABLES
from shoal.runtime.tables import table_of
from shoal.service.declare import Service
from shoal.service.records import records_of

_log = logging.getLogger("shoal.host")

CONNECT = 30.0
"""Seconds that a starting service waits for its store."""


async def prepare(service: Service, store: Store) -> None:
    """Open a store, however long it takes to come up within reason; migrate it and check that it fits."""
    async with asyncio.timeout(CONNECT):
        await _open(store)
    declared = service.store
    folder = declared.migrations if declared is not None else ""
    found = migrations.read(migrations.folder_of(service.module, folder)) if folder else ()
    for applied in await store.migrate(found, OWN_TABLES):
        _log.info("migration %s applied", applied.name)
    lacking = await store.verify([table_of(kind).table for kind in records_of(service)])
    if lacking:
        raise MigrationError(
            f"the store of {service.name} does not fit its records: {'; '.join(lacking)}",
            hint="add a numbered migration that creates or changes it",
            where=service.source,
        )


async def _open(store: Store) -> None:
    delay = 0.02
    while True:
        try:
            await store.open()
        except Unavailable:
            await asyncio.sleep(delay)
            delay = min(delay * 2, 1.0)
        else:
            return
