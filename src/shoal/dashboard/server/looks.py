"""What is looked at once a second while somebody listens: the newest run's end, and the state of processes."""

import asyncio
from pathlib import Path

from shoal.dashboard.notices.kept import ongoing
from shoal.dashboard.notices.ledger import Notice
from shoal.dashboard.server.hub import Look
from shoal.dashboard.store.library import Library
from shoal.dashboard.store.reading import Database, News, news
from shoal.dashboard.store.reading.actions import newest
from shoal.errors import ShoalError
from shoal.local.state import state_file


def telemetry(library: Library) -> Look:
    """Tell `tick` when spans or logs came, and `runs` when another run has begun."""
    known: Database | None = None
    position = ""

    def end() -> tuple[Database, News]:
        database = library.reader()
        return database, news(database, position if database is known else "")

    async def look() -> dict[str, object]:
        nonlocal known, position
        try:
            database, found = await asyncio.to_thread(end)
        except ShoalError:
            return {}  # nothing is recorded yet, or what there is cannot be read, of which the pages hear when they ask
        began = known is not None and database is not known
        known, position = database, found.position
        told: dict[str, object] = {"runs": {}} if began else {}
        if began or found.spans or found.logs:
            told["tick"] = {"spans": found.spans, "logs": found.logs, "traces": found.traces}
        return told

    return look


def noticed(library: Library) -> Look:
    """Tell `notice` when one begins, changes or ends; with it the newest of those that began."""
    known: dict[str, Notice] | None = None

    def going() -> dict[str, Notice]:
        return {one.id: one for one in ongoing(library.reader())}

    async def look() -> dict[str, object]:
        nonlocal known
        try:
            before, known = known, await asyncio.to_thread(going)
        except ShoalError:
            return {}
        if before is None or before == known:
            return {}
        begun = [one for one in known.values() if one.id not in before]
        newest = max(begun, key=lambda one: one.since, default=None)
        return {"notice": {} if newest is None else {"text": newest.text, "severity": newest.severity}}

    return look


def acted(library: Library) -> Look:
    """Tell `action` when somebody did something."""
    known = -1

    async def look() -> dict[str, object]:
        nonlocal known
        try:
            before, known = known, await asyncio.to_thread(lambda: newest(library.reader()))
        except ShoalError:
            return {}
        return {"action": {}} if before not in (-1, known) else {}

    return look


def processes(root: Path) -> Look:
    """Tell `resources` when the supervisor wrote another state."""
    seen: tuple[int, int] | None = None

    async def look() -> dict[str, object]:
        nonlocal seen
        try:
            state = state_file(root).stat()
        except OSError:
            return {}
        before, seen = seen, (state.st_mtime_ns, state.st_ino)
        return {"resources": {}} if before not in (None, seen) else {}

    return look
