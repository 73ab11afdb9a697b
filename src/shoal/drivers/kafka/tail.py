"""Follow the ends of topics: one request per node that waits for whatever comes first, for all who read."""

import asyncio
import logging
from collections.abc import Callable

from shoal.drivers.base.holding import Holding, Letter
from shoal.drivers.kafka import library, wire
from shoal.drivers.kafka.link import MOVED, Link
from shoal.drivers.kafka.registry import Registry
from shoal.errors import EngineError, Unavailable

_log = logging.getLogger("shoal.kafka")

PAGE_BYTES = 1024 * 1024
"""Bytes that are asked for of each topic at a time."""


class Tail:
    """What one connection reads."""

    def __init__(self, link: Link, registry: Registry, holdings: Callable[[], list[Holding]]) -> None:
        self._link, self._registry, self._holdings = link, registry, holdings
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._stirred = asyncio.Event()

    def stir(self) -> None:
        """Look again at who wants what."""
        self._stirred.set()

    def stop(self) -> None:
        """Read nothing more."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def follow(self, topic: str) -> None:
        """See to it that the node that leads a topic is asked."""
        found = await self._link.topic(topic)
        if found is not None:
            self._begin(found.leader)

    async def catch_up(self, holding: Holding) -> None:
        """Read at once what is there for one reader, without waiting."""
        name = holding.consumer.stream
        found = await self._link.topic(name)
        if found is not None:
            request = library.fetch({name: holding.next}, 0.0, PAGE_BYTES)
            asked = holding.next
            answer = await self._link.ask(request, node=found.leader)
            for _, fetched in library.fetched(answer):
                self._hand(holding, asked, fetched, await self._letters(fetched))

    def _begin(self, node: int) -> None:
        if node not in self._tasks or self._tasks[node].done():
            self._tasks[node] = asyncio.ensure_future(self._run(node))

    async def _run(self, node: int) -> None:
        epoch = self._link.epoch
        while self._link.epoch == epoch:
            self._stirred.clear()
            try:
                if wanted := await self._wanted(node):
                    await self._ask(node, wanted)
                else:
                    await self._stirred.wait()
            except Exception as error:  # noqa: BLE001 - nobody would read any more: all begins anew instead
                if not isinstance(error, EngineError):
                    _log.exception("reading from %s failed", self._link.address.place)
                if self._link.epoch == epoch:
                    self._link.lose()
                return

    async def _wanted(self, node: int) -> dict[str, int]:
        """Say where to go on, by topic: with the reader that is least far."""
        found: dict[str, int] = {}
        for holding in self._holdings():
            if holding.wants:
                name = holding.consumer.stream
                found[name] = min(found.get(name, holding.next), holding.next)
        found[wire.DECLARED] = self._registry.next
        return {name: offset for name, offset in found.items() if await self._leads(node, name)}

    async def _leads(self, node: int, name: str) -> bool:
        try:
            topic = await self._link.topic(name)
        except Unavailable as error:
            self._link.require()
            if name == wire.DECLARED:
                raise
            for holding in self._holdings():  # the others go on
                if holding.consumer.stream == name:
                    holding.fail(error)
            return False
        if topic is not None:
            self._begin(topic.leader)
        return topic is not None and topic.leader == node

    async def _ask(self, node: int, wanted: dict[str, int]) -> None:
        wait = self._link.address.wait
        request = library.fetch(wanted, wait, PAGE_BYTES)
        answer = await self._link.ask(request, node=node, lane="hear", waits=wait)
        everything = dict(library.fetched(answer))
        if (declared := everything.pop(wire.DECLARED, None)) is not None:
            self._registry.require(declared)
            self._registry.read(wanted[wire.DECLARED], declared)
        for name, found in everything.items():
            letters = await self._letters(found)
            for holding in self._holdings():
                if holding.consumer.stream == name:
                    self._hand(holding, wanted[name], found, letters)

    async def _letters(self, found: library.Fetched) -> list[Letter]:
        """Read records; a subject that no stream takes was declared since what is declared was read."""
        letters = [wire.letter(r.offset, r.timestamp, (r.key, r.value, r.headers)) for r in found.records]
        if any(x.message is not None and self._registry.route(x.message.subject) is None for x in letters):
            await self._registry.refresh()
        return letters

    def _hand(self, holding: Holding, asked: int, found: library.Fetched, letters: list[Letter]) -> None:
        """Give a reader what was read for it or for one behind it."""
        if holding.next < asked:  # it was rewound meanwhile
            return
        if found.error or found.end < holding.next:
            what = library.error_name(found.error) if found.error else f"it ends before {holding.next + 1}"
            holding.fail(Unavailable(f"cannot go on in stream {holding.consumer.stream}: {what}", hint="begin anew"))
            if not found.error or found.error in MOVED:
                self._link.lose()
            return
        declared = self._registry.consumer(holding.consumer)
        if declared is not None:
            holding.consumer = declared
        holding.read(letters, found.behind)
