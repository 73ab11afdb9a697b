"""What a service with personal data has besides: a vault before its store, seals for its events, keys to lend."""

from shoal.drivers.base import KeyRing, Store
from shoal.runtime.clients import Transport
from shoal.runtime.clock import monotonic_of
from shoal.runtime.privacy.events import EventSeal, Opener
from shoal.runtime.privacy.lending import Borrower, Lender
from shoal.runtime.privacy.session import SealedStore
from shoal.runtime.privacy.vault import Vault
from shoal.runtime.tables import table_of
from shoal.service.context import Clock
from shoal.service.declare import Service
from shoal.service.lending import lent_events
from shoal.service.personal import marks_of
from shoal.service.records import records_of


class Privacy:
    """Personal data of one running service.

    Args:
        service: Whose.
        system: Name of its system.
        store: Where it keeps its keys.
        sealing: The same store, before which what handlers keep is sealed.
        ring: Its key ring.
        transport: Reaches those who lend keys.
        clock: What it goes by.
    """

    def __init__(
        self, service: Service, system: str, store: Store, sealing: Store, ring: KeyRing, transport: Transport,
        clock: Clock,
    ) -> None:  # fmt: skip
        self.vault = Vault(system, service.name, ring, clock, monotonic_of(clock))
        self._own = store
        tables = [table for kind in records_of(service) if (table := table_of(kind).table).personal]
        opener = Opener(system, service, self.vault, store, Borrower(transport))
        self.store: Store = SealedStore.of(sealing, self.vault, f"{system}\n{service.name}", opener, tables)
        self.seals = {kind: EventSeal(system, kind) for kind in service.publishes if marks_of(kind)}
        self.lending = tuple(Lender(self.vault, store).endpoints(lent_events(service), service.source))

    async def open(self) -> None:
        """Get the service's own keys ready."""
        await self.vault.open(self._own)

    async def read(self) -> None:
        """Get those of the service's own keys that there are ready, and make none."""
        await self.vault.read(self._own)

    async def close(self) -> None:
        """Let go of the key ring."""
        await self.vault.ring.close()
