"""Versions of events that the journal holds and a projection no longer reads: a rebuild would lose them silently."""

from collections.abc import Mapping

from shoal.drivers.base import Session, Store
from shoal.errors import DeclarationError
from shoal.runtime.projections import fold, journal
from shoal.runtime.projections.fold import Fold
from shoal.runtime.projections.tables import Count


async def unread(session: Session, each: Fold) -> Mapping[str, int]:
    """Count the events of the journal that a projection should fold and cannot, by their type.

    Those are of another version of an event that it handles, with no upcaster. One that another projection of the
    service handles is left out, unless the live model has folded more events than its handlers read now.
    """
    counts = await journal.counts(session)
    lost = _others(each, counts)
    readable = sum(counts[type_].count for type_ in each.types if type_ in counts)
    if (await fold.checkpoint(session, each)).events <= readable:
        lost = {type_: count for type_, count in lost.items() if type_ not in each.elsewhere}
    return lost


async def require_read(store: Store, each: Fold) -> None:
    """Refuse to build a read model anew without some of its events.

    Raises:
        DeclarationError: The journal holds versions that no handler and no upcaster takes; the message names them.
    """
    async with store.session() as session:
        lost = await unread(session, each)
    if lost:
        raise DeclarationError(
            f"projection {each.name}: its journal holds {told(lost)}, which no handler and no upcaster of it takes;"
            " built from the rest, the read model would lose them, so nothing was changed",
            hint=f"keep the class of {min(lost)} and add an upcaster: on(..., upcasters=[...])",
            where=each.source,
        )


def told(lost: Mapping[str, int]) -> str:
    """Say which events, and how many of each."""
    return ", ".join(f"{count} event{'s' * (count != 1)} of {type_}" for type_, count in sorted(lost.items()))


def _others(each: Fold, counts: Mapping[str, Count]) -> dict[str, int]:
    names = {_name(type_) for type_ in each.types}
    return {t: c.count for t, c in counts.items() if c.count and t not in each.steps and _name(t) in names}


def _name(type_: str) -> str:
    return type_.rpartition(".v")[0]
