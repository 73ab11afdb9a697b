"""One connection to Valkey: every reply reaches whoever asked, and a connection that ends is made again."""

import asyncio
from dataclasses import dataclass

import pytest

from shoal.drivers.valkey.link import Door, Link
from shoal.errors import Unavailable
from tests.conformance.harness import soon
from tests.listening import listening

HALF = "\ud800"
"""A character that no bytes stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ajar(Door):
    """A door that is entered, and behind whose admission something else has come by then."""

    behind: list[bytes]
    """What comes behind the admission, for each connection until there is no more; nothing is the end."""

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await Door.connect(self)
        if self.behind:
            reader = asyncio.StreamReader()
            reader.feed_data(b"+OK\r\n" + (more := self.behind.pop()))
            if not more:
                reader.feed_eof()
        return reader, writer


async def _repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Admit somebody, and say every command's last word again."""
    await _command(reader)
    writer.write(b"+OK\r\n")
    while True:
        word = (await _command(reader))[-1]
        writer.write(b"$%d\r\n%b\r\n" % (len(word), word))


async def _command(reader: asyncio.StreamReader) -> list[bytes]:
    words = int((await reader.readuntil(b"\r\n"))[1:])
    found = []
    for _ in range(words):
        length = int((await reader.readuntil(b"\r\n"))[1:])
        found.append((await reader.readexactly(length + 2))[:-2])
    return found


def _link(port: int, *behind: bytes) -> Link:
    return Link(Ajar(host="127.0.0.1", port=port, user="somebody", password="secret", within=10.0, behind=[*behind]))


async def test_a_word_that_cannot_be_written_takes_nobody_s_reply() -> None:
    async with listening(_repeat) as port:
        link = _link(port)
        assert await soon(link.call("GET", "a")) == b"a"
        with pytest.raises(UnicodeEncodeError):
            await link.call("GET", HALF)
        assert await soon(link.call("GET", "b")) == b"b"
        with pytest.raises(UnicodeEncodeError):
            await link.calls([("GET", "c"), ("GET", HALF)])
        assert await soon(link.calls([("GET", "d"), ("GET", "e")])) == [b"d", b"e"]
        await link.close()


@pytest.mark.parametrize("behind", [b"", b"+to nothing\r\n"], ids=["the end", "a reply to nothing"])
async def test_what_comes_right_behind_the_admission_ends_that_connection_only(behind: bytes) -> None:
    lost: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: lost.append(context.get("exception")))
    async with listening(_repeat) as port:
        link = _link(port, behind)
        with pytest.raises(Unavailable, match="ended the connection"):
            await soon(link.call("GET", "a"))
        assert await soon(link.call("GET", "b")) == b"b"
        await link.close()
    assert not [error for error in lost if isinstance(error, LookupError)], "nobody looks at it"
