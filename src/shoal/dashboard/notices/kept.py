"""Notices that a run had."""

import msgspec

from shoal.dashboard.notices.ledger import PRECEDENCE, Notice
from shoal.dashboard.store.reading.database import Database, page


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """Notices, those that go on first, then the latest."""

    items: list[Notice]


_read = msgspec.json.Decoder(Notice)


def notices(
    database: Database, *, service: str = "", rule: str = "", going: bool = False, since: float = 0.0, limit: int = 200
) -> Notices:
    """List the notices of a run.

    Args:
        database: Of the run.
        service: Only of this service.
        rule: Only of this rule: ``budget``, ``error`` or ``traffic``.
        going: Only those that have not ended.
        since: Only those that went on after this, in milliseconds since 1970.
        limit: How many at most.
    """
    found = [_read.decode(text) for (text,) in database.ask("SELECT notice FROM notices ORDER BY since DESC")]
    wanted = [
        notice
        for notice in found
        if service in ("", notice.service)
        and rule in ("", notice.rule)
        and (notice.until is None or (not going and notice.until >= since))
    ]
    wanted.sort(key=lambda notice: (notice.until is not None, notice.until is None and PRECEDENCE[notice.severity]))
    return Notices(items=wanted[: page(limit)])
