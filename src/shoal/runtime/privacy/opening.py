"""Where handlers of events find what unseals them."""

from collections.abc import Sequence
from typing import Protocol, cast

from shoal.drivers.base import Session
from shoal.service.declare import Service
from shoal.service.marks import event_mark
from shoal.service.personal import marks_of


class Opens(Protocol):
    """Unseals the data of events."""

    async def open(self, events: Sequence[tuple[str, bytes]], within: Session | None = None) -> list[bytes]:
        """Unseal the data of some events, each with its id; `Unavailable` when the owner of a key does not lend.

        Keys that are borrowed are kept with the commit of the session `within`, or in one of their own.
        """
        ...


def opener_of(sealed: object) -> Opens:
    """Return what unseals events for a store, or a session, of a service that has personal data."""
    return cast("Opens", getattr(sealed, "opener"))  # noqa: B009 - the wrapper around a store has it


def personal_events(service: Service) -> frozenset[str]:
    """List the ids of the events with personal fields that a service hears."""
    hearings = [hearing for projection in service.projections for hearing in projection.hearings]
    heard = [(s.kind, s.chains) for s in service.subscriptions] + [(h.kind, h.chains) for h in hearings]
    kinds = [kind for own, chains in heard for kind in (own, *(chain.kind for chain in chains))]
    return frozenset(event_mark(kind).id for kind in kinds if marks_of(kind))
