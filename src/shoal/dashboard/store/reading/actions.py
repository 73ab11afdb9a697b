"""What people did to the running system, latest first."""

import msgspec

from shoal.dashboard.store.actions import Action
from shoal.dashboard.store.reading.database import Database, Unanswerable, numbers, page


class ActionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; what is left out does not matter.

    Args:
        text: Part of who did it, what, on what, or of what became of it.
        bad: Only those that were refused or failed.
        since: When it began, in milliseconds since 1970, at the earliest.
        until: At the latest.
        cursor: ``next`` of the page before.
        limit: Most items of a page, up to 1000.
    """

    text: str = ""
    bad: bool = False
    since: float | None = None
    until: float | None = None
    cursor: str = ""
    limit: int = 100


class Actions(msgspec.Struct, frozen=True, kw_only=True):
    """A page of actions."""

    items: list[Action]
    next: str | None


_read = msgspec.json.Decoder(Action)


def actions(database: Database, query: ActionQuery) -> Actions:
    """Find a page of actions; there are at most some thousand of a run, so a text is looked for one by one.

    Raises:
        Unanswerable: The cursor is malformed.
    """
    before = [1 << 62]
    if query.cursor:
        found = numbers(query.cursor, 1)
        if found is None:
            raise Unanswerable(f"{query.cursor!r} is no cursor of this list", hint="begin without one")
        before = found
    bounds = query.since or 0.0, 9e15 if query.until is None else query.until
    rows = database.ask(
        "SELECT n, action FROM actions WHERE n < ? AND at BETWEEN ? AND ? ORDER BY n DESC", (*before, *bounds)
    )
    limit, shown = page(query.limit), list[tuple[int, Action]]()
    for n, text in rows:
        one = _read.decode(text)
        if _fits(one, query):
            shown.append((n, one))
        if len(shown) > limit:
            break
    following = str(shown[limit - 1][0]) if len(shown) > limit else None
    return Actions(items=[one for _, one in shown[:limit]], next=following)


def newest(database: Database) -> int:
    """Return the number of the latest action; 0 before the first."""
    row = database.one("SELECT coalesce(max(n), 0) FROM actions")
    return int(row[0]) if row else 0


def _fits(one: Action, query: ActionQuery) -> bool:
    told = f"{one.who} {one.by} {one.does} {one.on} {one.outcome} {one.error}".lower()
    return query.text.strip().lower() in told and not (query.bad and one.outcome == "done")
