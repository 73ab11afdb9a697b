"""Erase a person from one service, in the transaction of its handler; the row that says so is the service's report."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, cast, runtime_checkable

import msgspec

from shoal.drivers.base import Query, Row, Session, Store
from shoal.runtime.privacy.tables import ERASED


@runtime_checkable
class Erasing(Protocol):
    """A session of a service with personal data."""

    async def erase(self, person: str) -> tuple[int, int]:
        """Remove a person's keys with the commit, and what is sealed of them in records; return how many of each."""
        ...


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What one service says of a person's erasure."""

    subject: str
    at: datetime
    keys: int = 0
    records: int = 0


async def forget(session: Session, person: str, now: datetime) -> None:
    """Erase a person; doing so again changes nothing of the first report but what has come since."""
    keys, records = await session.erase(person) if isinstance(session, Erasing) else (0, 0)
    row = await session.get(ERASED.table, person)
    before = None if row is None else _read(row)
    said = Erased(
        subject=person,
        at=before.at if before else now,
        keys=keys + (before.keys if before else 0),
        records=records + (before.records if before else 0),
    )
    session.put(ERASED.table, msgspec.structs.asdict(said))


async def reports(store: Store, person: str = "") -> Sequence[Erased]:
    """Read what a service says of one person, or of everybody, the latest first."""
    async with store.session() as session:
        if person:
            row = await session.get(ERASED.table, person)
            return () if row is None else (_read(row),)
        return [_read(row) for row in await session.find(ERASED.table, Query(order=("-at",), limit=1000))]


def _read(row: Row) -> Erased:
    keys, records = cast("int | None", row.get("keys")), cast("int | None", row.get("records"))
    at = cast("datetime", row["at"])
    return Erased(subject=str(row["subject"]), at=at, keys=keys or 0, records=records or 0)
