"""What RabbitMQ 3.13 and later do otherwise than the server that was tried, played; and who is let go of."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shoal.errors import EngineError

pytest.importorskip("aiormq", reason="needs shoal[rabbitmq]")

from shoal.drivers.rabbitmq import echo, library
from shoal.drivers.rabbitmq.address import read
from shoal.drivers.rabbitmq.ends import ends
from shoal.drivers.rabbitmq.library import Parcel
from shoal.drivers.rabbitmq.link import Link
from shoal.drivers.rabbitmq.publish import Publisher
from shoal.drivers.rabbitmq.registry import Registry


class StrictChannel:
    """Sends of a chunk no more than may be unanswered."""

    open = True

    def __init__(self, chunks: list[range]) -> None:
        self._chunks, self._prefetch = chunks, 0

    async def barrier(self, prefetch: int) -> None:
        await asyncio.sleep(0)
        self._prefetch = prefetch

    async def subscribe(self, _stream: str, offset: str, heard: Callable[[Parcel], None]) -> None:
        some = {"first": [n for chunk in self._chunks for n in chunk], "last": self._chunks[-1], "next": []}[offset]
        for number in some[: self._prefetch]:
            heard(cast("Parcel", SimpleNamespace(offset=number)))

    def when_ended(self, say: Callable[[], None]) -> None: ...

    async def close(self) -> None: ...


class Server:
    """A link to it."""

    def __init__(self, *chunks: range) -> None:
        self.channels, self._chunks = list[StrictChannel](), [*chunks]

    async def channel(self) -> StrictChannel:
        self.channels.append(StrictChannel(self._chunks))
        return self.channels[-1]

    async def ask(self, asked: Awaitable[Any]) -> Any:
        return await asked


async def test_a_stream_ends_behind_all_that_was_stored_together() -> None:
    assert await ends(cast("Link", Server(range(3, 9), range(9, 300))), "S") == (3, 300)


async def test_two_who_publish_to_a_stream_for_the_first_time_hear_it_once() -> None:
    server = Server(range(1))
    publisher = Publisher(cast("Link", server), cast("Registry", None))
    one, two = await asyncio.gather(publisher._echo("S"), publisher._echo("S"))
    assert one is two
    assert isinstance(one, echo.Echo)
    assert len(server.channels) == 1


async def test_who_closes_a_connection_that_is_being_made_again_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connecting, ended = asyncio.Event(), asyncio.Event()

    async def connect(*_: object) -> library.Connection:
        connecting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise library.Gone

    async def opened() -> None: ...

    link = Link(read("rabbitmq://u:p@127.0.0.1:1/v"), opened, lambda: None)
    monkeypatch.setattr(library, "connect", connect)
    link._closing = False
    link._reopening = asyncio.ensure_future(link._reopen())
    await connecting.wait()
    await link.close()
    assert ended.is_set()
    with pytest.raises(EngineError):
        link.require()
