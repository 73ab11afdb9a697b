"""Valkey keeps the contract of caches, with the least rights a service can have."""

import asyncio
import shutil
import signal
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec

from shoal.drivers import open_cache
from shoal.drivers.base import Cache
from shoal.drivers.valkey import COMMANDS, ValkeyCache, prefix_of
from shoal.drivers.valkey.link import Door, Link
from shoal.errors import DeclarationError, EngineError, Unavailable
from shoal.local.engines import Running, start, valkey
from shoal.local.engines.valkey import ValkeyUser
from shoal.mesh.certificates import Issuance, authority, edge
from shoal.model import catalog
from tests.conformance.cache import (
    MINE,
    THEIRS,
    TTL,
    AwayContract,
    ClaimContract,
    FencedLeaseContract,
    StepContract,
    ValueContract,
)
from tests.conformance.harness import soon
from tests.listening import listening

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "p@ss/word"
USERS = (
    ValkeyUser(name="operator", password=PASSWORD, keys=("*",), commands=("+@all",)),
    *(
        ValkeyUser(name=name.replace(":", "-"), password=PASSWORD, keys=(f"{prefix_of(name)}*",), commands=COMMANDS)
        for name in (MINE, THEIRS)
    ),
)


class Server:
    """One server for the module."""

    def __init__(self, place: Path) -> None:
        self.options = valkey.ValkeyOptions(directory=place / "valkey", socket=place / "v", users=USERS)
        self.operator = Link(Door(socket=self.options.socket, user="operator", password=PASSWORD))
        self.running: Running | None = None

    async def start(self) -> None:
        self.running = await start(valkey.recipe(self.options), on_line=lambda _line: None)

    async def stop(self) -> None:
        await self.operator.close()
        if self.running is not None:
            await self.running.process.stop()

    def url(self, name: str, password: str = PASSWORD, within: float = 10.0) -> str:
        user, secret = quote(name.replace(":", "-")), quote(password, safe="")
        return f"valkey://{user}:{secret}@/{quote(name)}?socket={self.options.socket}&within={within}"


class Harness:
    """The server, empty."""

    capabilities = catalog.engine("valkey").capabilities

    def __init__(self, server: Server) -> None:
        self.server = server
        self.opened: list[Cache] = []

    async def cache(self, name: str = MINE) -> Cache:
        found = open_cache(self.server.url(name))
        await found.open()
        self.opened.append(found)
        return found

    async def later(self, seconds: float) -> None:
        keys = await self.server.operator.call("KEYS", "*")
        assert isinstance(keys, list)
        for key in keys:
            assert isinstance(key, bytes)
            left = await self.server.operator.call("PTTL", key)
            assert isinstance(left, int)
            assert left > 0, f"{key!r} has no end"
            await self.server.operator.call("PEXPIRE", key, left - round(seconds * 1000))

    async def crash(self) -> None:
        assert self.server.running is not None
        await self.server.running.process.kill()

    async def start(self) -> None:
        await self.server.start()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(place: Path) -> AsyncIterator[Server]:
    server = Server(place)
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def harness(server: Server) -> AsyncIterator[Harness]:
    harness = Harness(server)
    yield harness
    for cache in harness.opened:
        await soon(cache.close())
    await server.operator.call("FLUSHALL")


class TestValkeyValues(ValueContract):
    pass


class TestValkeySteps(StepContract):
    pass


class TestValkeyClaims(ClaimContract):
    pass


class TestValkeyLeases(FencedLeaseContract):
    pass


class TestValkeyAway(AwayContract):
    pass


async def test_a_service_can_touch_no_key_but_its_own(harness: Harness) -> None:
    theirs = await harness.cache(THEIRS)
    await theirs.set({"a": b"1"}, TTL)
    options = harness.server.options
    door = Door(socket=options.socket, user=MINE.replace(":", "-"), password=PASSWORD)
    intruder = ValkeyCache(Link(door), prefix_of(THEIRS), within=10.0)
    harness.opened.append(intruder)
    for step in (
        intruder.get(["a"]),
        intruder.look("a"),
        intruder.swap("a", b"1", b"2", TTL),
        intruder.add("n", 1, TTL),
        intruder.acquire("l", TTL),
        intruder.delete(["a"]),
    ):
        with pytest.raises(EngineError, match=r"NOPERM|No permissions|permission"):
            await step
    assert await theirs.get(["a"]) == [b"1"]


async def test_wrong_passwords_are_refused(server: Server) -> None:
    cache = open_cache(server.url(MINE, password="wrong"))
    with pytest.raises(EngineError, match="WRONGPASS") as refused:
        await cache.open()
    assert "wrong" not in str(refused.value)
    await cache.close()


async def test_a_server_that_hangs_is_away_after_a_time_and_loses_nobody_s_reply(harness: Harness) -> None:
    server = harness.server
    cache = open_cache(server.url(MINE, within=0.05))
    harness.opened.append(cache)
    patient = await harness.cache()
    await patient.set({"a": b"1"}, TTL)
    assert await soon(_once_it_answers(cache)) == [b"1"]
    assert server.running is not None
    server.running.process.send(signal.SIGSTOP)
    try:
        for step in (cache.get(["a"]), cache.look("a"), cache.set({"a": b"2", "b": b"2"}, TTL)):
            with pytest.raises(Unavailable, match="did not answer"):
                await step
    finally:
        server.running.process.send(signal.SIGCONT)
    assert await soon(_once_it_answers(cache)) == [b"2"], "what was sent is done once it goes on"


class Relay:
    """The server, at a port of loopback."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_unix_connection(str(self._socket))
        try:
            await asyncio.gather(_pump(reader, outer), _pump(inner, writer))
        finally:
            outer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while some := await reader.read(65536):
        writer.write(some)
    writer.close()


async def test_it_is_reached_over_a_network_with_and_without_tls(server: Server, tmp_path: Path) -> None:
    issuance = Issuance(
        now=datetime.now(UTC), validity=timedelta(days=1), new_key=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    root, stranger = authority("shop", issuance), authority("other", issuance)
    for name, credential in (("ca", root), ("other", stranger)):
        (tmp_path / name).write_text(credential.certificate)
    shown = edge(root, ["127.0.0.1"], issuance)
    (tmp_path / "server").write_text(shown.certificate + shown.key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server")
    relay, user = Relay(server.options.socket), server.url(MINE, within=10.0).partition("//")[2].partition("@")[0]
    async with listening(relay) as plain, listening(relay, tls=tls) as secure:
        for url in (
            f"valkey://{user}@127.0.0.1:{plain}/{quote(MINE)}?within=10",
            f"valkeys://{user}@127.0.0.1:{secure}/{quote(MINE)}?within=10&ca={tmp_path / 'ca'}",
        ):
            cache = open_cache(url)
            await cache.set({"a": b"1"}, TTL)
            assert await cache.get(["a", "b"]) == [b"1", None]
            await cache.close()
        doubtful = open_cache(f"valkeys://{user}@127.0.0.1:{secure}/{quote(MINE)}?within=10&ca={tmp_path / 'other'}")
        with pytest.raises(Unavailable, match="certificate verify failed"):
            await doubtful.open()
        await doubtful.close()
        nobody = open_cache(f"valkey://{user}@127.0.0.1:1/{quote(MINE)}?within=10")
        with pytest.raises(Unavailable, match=r"cannot reach Valkey at 127\.0\.0\.1:1"):
            await nobody.open()


async def _once_it_answers(cache: Cache) -> list[bytes | None]:
    while True:
        try:
            return await cache.get(["a"])
        except Unavailable:
            await asyncio.sleep(0)


async def test_an_address_without_socket_is_refused() -> None:
    with pytest.raises(DeclarationError, match="names no server"):
        open_cache("valkey://a:b@/c")
    with pytest.raises(DeclarationError, match="no driver"):
        open_cache("memcached://")
