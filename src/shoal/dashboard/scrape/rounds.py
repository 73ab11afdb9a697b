"""Ask every engine of a run again and again, and keep what they tell."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

from shoal.dashboard.scrape.sample import Source
from shoal.dashboard.store.records import Point, Resource
from shoal.dashboard.store.writer import Writer

PAUSE = 5.0
"""Seconds between two rounds."""


class Rounds:
    """Asks what there is; an engine that does not answer is told once, and asked again in the next round."""

    def __init__(self, sources: Callable[[], Sequence[Source]], writer: Writer, say: Callable[[str], None]) -> None:
        self._sources, self._writer, self._say = sources, writer, say
        self._silent: dict[tuple[str, str], str] = {}

    async def go(self) -> int:
        """Make one round; return how many values were told."""
        found = await asyncio.to_thread(self._sources)
        told = await asyncio.gather(*map(self._ask, found))
        every = [point for points in told for point in points]
        self._writer.put(every)
        return len(every)

    async def _ask(self, source: Source) -> Iterable[Point]:
        who = Resource(source.engine, source.name, "{}")
        try:
            samples = await source.ask()
            at = time.time()
            points = [sample.point(who, at) for sample in samples]
        except Exception as error:  # noqa: BLE001 - whatever it is, the other engines are asked
            self._note(source, f"{type(error).__name__}: {error}")
            return ()
        self._silent.pop((source.engine, source.name), None)
        return points

    def _note(self, source: Source, reason: str) -> None:
        key = source.engine, source.name
        if self._silent.get(key) != reason:
            self._silent[key] = reason
            self._say(f"{source.engine} {source.name} tells nothing of itself: {reason}")


async def keep_asking(sources: Callable[[], Sequence[Source]], writer: Writer, say: Callable[[str], None]) -> None:
    """Make rounds until cancelled; a round that fails is told once, and the next is made."""
    rounds, trouble = Rounds(sources, writer, say), ""
    while True:
        try:
            await rounds.go()
        except Exception as error:  # noqa: BLE001 - such as a state that is written right now
            why = f"{type(error).__name__}: {error}"
            if trouble != why:
                trouble = why
                say(f"metrics of engines: {why}")
        await asyncio.sleep(PAUSE)
