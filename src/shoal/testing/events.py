"""Watch the events of a system go by."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from shoal.drivers.base import Message
from shoal.errors import ShoalError
from shoal.runtime.envelope import Envelope, unpack
from shoal.service.codec import from_plain
from shoal.service.marks import event_mark

E = TypeVar("E")


class Events:
    """Every event that was announced so far, in the order in which the broker held it."""

    def __init__(self) -> None:
        self._seen: list[Envelope] = []
        self._news = asyncio.Condition()

    async def record(self, message: Message) -> None:
        """Take note of a message."""
        async with self._news:
            self._seen.append(unpack(message))
            self._news.notify_all()

    def all(self, kind: type[E]) -> list[E]:
        """List the events of one class."""
        wanted = event_mark(kind).id
        return [_data(e, kind) for e in self._seen if e.type == wanted]

    def types(self) -> list[str]:
        """List the types of everything announced, in order."""
        return [e.type for e in self._seen]

    async def expect(self, kind: type[E], matching: Callable[[E], bool] | None = None, *, within: float = 10.0) -> E:
        """Wait for an event of class `kind`, past or to come; raises `ShoalError` after `within` seconds."""

        def found() -> E | None:
            return next((e for e in self.all(kind) if matching is None or matching(e)), None)

        try:
            async with asyncio.timeout(within), self._news:
                while (event := found()) is None:
                    await self._news.wait()
                return event
        except TimeoutError:
            raise ShoalError(
                f"no {kind.__name__} was announced within {within:g} s",
                hint=f"announced were: {', '.join(self.types()) or 'none'}",
            ) from None


def _data(envelope: Envelope, kind: type[E]) -> E:
    return from_plain(msgspec.json.decode(envelope.data, type=Any), kind, strict=False)
