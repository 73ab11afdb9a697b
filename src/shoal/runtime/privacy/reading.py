"""A service's store as its own handlers see it, for audits and for commands of the operator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shoal.drivers import open_key_ring
from shoal.drivers.base import Store
from shoal.errors import CallFailed
from shoal.runtime.clients import Answer
from shoal.runtime.clock import SystemClock
from shoal.runtime.privacy.side import Privacy
from shoal.service.declare import Service
from shoal.service.records import personal_data


@asynccontextmanager
async def readable(service: Service, system: str, store: Store, ring: str) -> AsyncIterator[Store]:
    """Unseal what a service keeps, with the keys that it has: none is borrowed.

    Args:
        service: Whose store it is.
        system: Name of its system.
        store: The store, open.
        ring: Address of its key ring.

    Raises:
        EngineError: The ring does not give the service's own keys, or is away (`Unavailable`).
    """
    if not personal_data(service):
        yield store
        return
    privacy = Privacy(service, system, store, store, open_key_ring(ring), _Nobody(), SystemClock())
    try:
        await privacy.read()
        yield privacy.store
    finally:
        await privacy.close()


class _Nobody:
    """A transport that reaches nobody."""

    async def send(self, service: str, *_: object) -> Answer:
        """Fail."""
        raise CallFailed(service, detail="no other service is asked for its keys here")

    async def close(self) -> None:
        """Nothing is held."""
