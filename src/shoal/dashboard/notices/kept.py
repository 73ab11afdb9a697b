"""Notices that a run had."""

import msgspec

from shoal.dashboard.notices.ledger import PRECEDENCE, Notice
from shoal.dashboard.store.reading.database import Database, page


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """Notices, those that go on first, then the latest."""

    items: list[Notice]


_read = msgspec.json.Decoder(Notice)


def notices(database: Database, *, service: str = "", rule: str = "", going: bool = False, limit: int = 200) -> Notices:
    """List the notices of a run.

    Args:
        database: Of the run.
        service: Only of this service.
        rule: Only of this rule: ``budget``, ``error`` or ``traffic``.
        going: Only those that have not ended.
        limit: How many at most.
    """
    found = ongoing(database) if going else _found(database, "1")
    wanted = [notice for notice in found if service in ("", notice.service) and rule in ("", notice.rule)]
    wanted.sort(key=lambda notice: (notice.until is not None, notice.until is None and PRECEDENCE[notice.severity]))
    return Notices(items=wanted[: page(limit)])


def ongoing(database: Database) -> list[Notice]:
    """Return all notices of a run that have not ended, however many, the latest first."""
    return _found(database, "json_extract(CAST(notice AS TEXT), '$.until') IS NULL")


def _found(database: Database, words: str) -> list[Notice]:
    rows = database.ask(f"SELECT notice FROM notices WHERE {words} ORDER BY since DESC")  # noqa: S608 - ours
    return [_read.decode(text) for (text,) in rows]
