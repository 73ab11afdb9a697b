"""Ask the rules again and again, and keep what they notice in the run's file."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from shoal.dashboard.notices import traffic
from shoal.dashboard.notices.budget import burning
from shoal.dashboard.notices.failures import Failures
from shoal.dashboard.notices.kept import ongoing
from shoal.dashboard.notices.ledger import Finding, Notice, settle
from shoal.dashboard.notices.standing import Tallies
from shoal.dashboard.notices.unanswered import LATE, Edge
from shoal.dashboard.store.reading import Database, database
from shoal.dashboard.store.records import Told
from shoal.dashboard.store.writer import Writer
from shoal.errors import ShoalError

PAUSE = 5.0
"""Seconds between two looks."""


class Watch:
    """The rules over one run's file, with what they know of it."""

    def __init__(self, file: Path, writer: Writer) -> None:
        self._file, self._writer = file, writer
        self._tallies, self._failures, self._edge = Tallies(), Failures(), Edge()
        self._minute, self._traffic = 0.0, list[Finding]()
        self._going: dict[tuple[str, str], Notice] | None = None

    def look(self, now: float) -> list[Notice]:
        """Ask every rule, and return the notices that began, changed or ended; `now` in seconds since 1970.

        Raises:
            Damaged: The file cannot be read.
        """
        with database(self._file) as opened:
            if self._going is None:
                self._going = {(found.rule, found.key): found for found in ongoing(opened)}
            found = list(self._findings(opened, now))
        changed = settle(self._going, found, now * 1000)
        self._writer.put([Told(notice.id, notice.since, msgspec.json.encode(notice)) for notice in changed])
        for notice in changed:
            place = notice.rule, notice.key
            if notice.until is None:
                self._going[place] = notice
            else:
                self._going.pop(place, None)
        return changed

    def _findings(self, opened: Database, now: float) -> Iterator[Finding]:
        unanswered = self._edge.read(opened, now - LATE)
        self._tallies.read(opened)
        self._tallies.note(unanswered)
        self._tallies.forget(now)
        for place, objective in self._tallies.objectives.items():
            yield from burning(place, objective, self._tallies.of(place), now)
        self._failures.read(opened)
        self._failures.note(each.failure for each in unanswered)
        yield from self._failures.findings(now * 1000)
        yield from self._unusual(opened, now - LATE)

    def _unusual(self, opened: Database, now: float) -> list[Finding]:
        """Judge the traffic, once a minute."""
        if self._minute != now // 60:
            self._minute = now // 60
            self._traffic = traffic.judged(traffic.read_minutes(opened, now))
        return self._traffic


async def watch(file: Path, writer: Writer, say: Callable[[str], None]) -> None:
    """Look until cancelled; what goes wrong is told once, and the next look is taken."""
    looking, trouble = Watch(file, writer), ""
    while True:
        await asyncio.sleep(PAUSE)
        try:
            await asyncio.to_thread(looking.look, time.time())
        except Exception as error:  # noqa: BLE001 - whatever it is, what comes later is noticed
            why = f"{error}" if isinstance(error, ShoalError) else f"{type(error).__name__}: {error}"
            if trouble != why:
                trouble = why
                say(f"notices: {why}")
