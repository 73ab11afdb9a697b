"""What has come since one looked last: for pages that follow a run."""

import msgspec

from shoal.dashboard.store.reading.database import Database, Unanswerable, numbers
from shoal.dashboard.store.reading.logs import COLUMNS, LogLine, line

_LOGS = 200


class News(msgspec.Struct, frozen=True, kw_only=True):
    """How much is new, and the newest lines, oldest first."""

    position: str
    """To be given the next time."""
    spans: int
    logs: int
    traces: int
    """Traces that began or went on."""
    lines: list[LogLine]


def news(database: Database, position: str = "") -> News:
    """Tell what has come since `position`; without one, nothing but where the end is now.

    Raises:
        Unanswerable: The position is malformed.
    """
    (spans,), (logs,) = (database.ask(f"SELECT coalesce(max(n), 0) FROM {table}")[0] for table in ("spans", "logs"))  # noqa: S608
    now = f"{spans}-{logs}"
    if not position:
        return News(position=now, spans=0, logs=0, traces=0, lines=[])
    before = numbers(position, 2)
    if before is None:
        raise Unanswerable(f"{position!r} is no position in a run", hint="begin without one")
    seen, read = before
    (traces,) = database.ask("SELECT count(DISTINCT trace) FROM spans WHERE n > ?", (seen,))[0]
    ask = f"SELECT {COLUMNS} FROM logs l JOIN resources r ON r.id = l.resource WHERE l.n > ? ORDER BY l.n DESC LIMIT ?"  # noqa: S608
    lines = [line(row) for row in database.ask(ask, (read, _LOGS))]
    return News(
        position=now, spans=max(0, spans - seen), logs=max(0, logs - read), traces=traces,
        lines=lines[::-1],
    )  # fmt: skip
