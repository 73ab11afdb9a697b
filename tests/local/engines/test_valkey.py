"""Valkey: who comes in and sees what, what a kill costs, and the connection that tasks share."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from shoal.drivers.valkey.link import Door, Link
from shoal.drivers.valkey.wire import command, reply
from shoal.errors import EngineError, HostError, Unavailable
from shoal.local.engines import Running, start, valkey
from shoal.local.engines.valkey import ValkeyOptions, ValkeyUser
from shoal.local.probe import connect

CARTS = ValkeyUser(name="carts", password='pä$$ "word', keys=("carts:*",), commands=("+get", "+set", "+@list"))


@pytest.fixture
def options(place: Path) -> ValkeyOptions:
    return ValkeyOptions(directory=place / "valkey", socket=place / "s" / "valkey", users=(CARTS,))


@asynccontextmanager
async def running(options: ValkeyOptions, output: list[str]) -> AsyncIterator[Running]:
    found = await start(valkey.recipe(options), on_line=output.append)
    try:
        yield found
    finally:
        await found.process.stop()


@asynccontextmanager
async def entered(options: ValkeyOptions, user: ValkeyUser = CARTS) -> AsyncIterator[Link]:
    link = Link(Door(socket=options.socket, user=user.name, password=user.password))
    try:
        yield link
    finally:
        await link.close()


@pytest.mark.live
async def test_a_server_answers_its_users_and_shows_them_their_keys_alone(
    options: ValkeyOptions, output: list[str]
) -> None:
    async with running(options, output) as server, entered(options) as link:
        assert server.addresses == {"valkey": f"unix://{options.socket}"}
        assert await link.call("PING") == b"PONG"
        assert await link.call("SET", "carts:1", "tea") == b"OK"
        assert await link.call("GET", "carts:1") == b"tea"
        for words in (("GET", "orders:1"), ("FLUSHALL",), ("CONFIG", "GET", "*")):
            with pytest.raises(EngineError, match="NOPERM"):
                await link.call(*words)
    assert options.socket.parent.stat().st_mode & 0o777 == 0o700
    assert valkey.configuration(options).stat().st_mode & 0o777 == 0o600


@pytest.mark.live
async def test_strangers_are_refused(options: ValkeyOptions, output: list[str]) -> None:
    async with running(options, output):
        reader, writer = await connect(options.socket)
        writer.write(command("PING"))
        assert "NOAUTH" in str(await reply(reader))
        writer.close()
        for stranger in (replace(CARTS, password="wrong"), ValkeyUser(name="default", password="")):
            async with entered(options, stranger) as link:
                with pytest.raises(EngineError, match="WRONGPASS"):
                    await link.call("PING")


@pytest.mark.live
@pytest.mark.parametrize("durable", [False, True])
async def test_it_starts_again_after_a_kill_with_what_was_asked_to_be_kept(
    options: ValkeyOptions, output: list[str], durable: bool
) -> None:
    options = replace(options, durable=durable)
    async with running(options, output) as server, entered(options) as link:
        await link.call("SET", "carts:1", "tea")
        blocked = asyncio.ensure_future(link.call("BLPOP", "carts:2", 0))
        await server.process.kill()
        with pytest.raises(Unavailable):
            await blocked
        with pytest.raises(Unavailable):
            await link.call("PING")
        async with running(options, output):
            assert await link.call("GET", "carts:1") == (b"tea" if durable else None), (
                "and the link comes back by itself"
            )


@pytest.mark.live
async def test_many_tasks_share_a_connection_and_each_gets_its_reply(options: ValkeyOptions, output: list[str]) -> None:
    async with running(options, output), entered(options) as link:
        written = [link.call("SET", f"carts:{n}", n) for n in range(100)]
        assert set(map(str, await asyncio.gather(*written))) == {str(b"OK")}
        left = asyncio.ensure_future(link.call("GET", "carts:0"))
        await asyncio.sleep(0)
        left.cancel()
        read = await asyncio.gather(*(link.call("GET", f"carts:{n}") for n in range(100)))
        assert read == [str(n).encode() for n in range(100)], "whoever gives up takes nobody's reply"


@pytest.mark.live
async def test_a_server_that_hangs_is_not_waited_for_by_ever_more(options: ValkeyOptions, output: list[str]) -> None:
    link = Link(Door(socket=options.socket, user=CARTS.name, password=CARTS.password, most=10))
    async with running(options, output) as server:
        assert await link.call("PING") == b"PONG"
        server.process.send(signal.SIGSTOP)
        waiting = [asyncio.ensure_future(link.call("PING")) for _ in range(10)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="10 commands"):
            await link.call("PING")
        with pytest.raises(Unavailable, match="10 commands"):
            await link.calls([("PING",)])
        server.process.send(signal.SIGCONT)
        assert set(await asyncio.gather(*waiting)) == {b"PONG"}
        await link.close()


def test_an_access_list_holds_no_password_and_nothing_that_was_not_given() -> None:
    text = valkey.access_list((CARTS,))
    assert text.startswith("user default off\n")
    assert CARTS.password not in text
    assert CARTS.password not in repr(CARTS)
    assert text.endswith(" ~carts:* +ping +get +set +@list\n")


@pytest.mark.parametrize(
    "user", [replace(CARTS, name="a b"), replace(CARTS, keys=("a\nuser b on",)), replace(CARTS, commands=("",))]
)
def test_words_that_would_be_several_are_refused(user: ValkeyUser) -> None:
    with pytest.raises(HostError, match="cannot hold"):
        valkey.access_list((user,))


async def test_replies_are_read_whatever_their_form() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"+OK\r\n:-3\r\n$3\r\na\r\n\r\n$-1\r\n*2\r\n:1\r\n*1\r\n$0\r\n\r\n*-1\r\n-ERR no\r\n?\r\n")
    assert [await reply(reader) for _ in range(6)] == [b"OK", -3, b"a\r\n", None, [1, [b""]], None]
    assert "ERR no" in str(await reply(reader))
    with pytest.raises(ValueError, match="begins no reply"):
        await reply(reader)
