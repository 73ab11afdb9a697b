"""A real cluster of Valkey keeps the contract of caches: three servers and a replica, one of which dies."""

import asyncio
import contextlib
import functools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from shoal.drivers import open_cache
from shoal.drivers.base import Cache
from shoal.drivers.valkey import CLUSTER_COMMANDS, COMMANDS, prefix_of
from shoal.drivers.valkey.link import Door, Link
from shoal.drivers.valkey.slots import SLOTS, Node, shares, slot_of
from shoal.errors import EngineError, Unavailable
from shoal.local.engines import Running, start, valkey
from shoal.local.engines.recipe import Recipe
from shoal.local.engines.valkey import ValkeyUser
from shoal.local.ports import free_port
from shoal.local.process import Command
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

if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("a cluster takes seconds; SHOAL_MATRIX=1 runs these", allow_module_level=True)

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "p@ss/word"
USERS = (
    ValkeyUser(name="operator", password=PASSWORD, keys=("*",), commands=("+@all",)),
    *(
        ValkeyUser(
            name=name.replace(":", "-"),
            password=PASSWORD,
            keys=(f"{prefix_of(name)}*",),
            commands=(*COMMANDS, *CLUSTER_COMMANDS),
        )
        for name in (MINE, THEIRS)
    ),
)
SHARES = ((0, 5460), (5461, 10922), (10923, SLOTS - 1))


class Server:
    """One server of the cluster."""

    def __init__(self, place: Path, number: int) -> None:
        self.options = valkey.ValkeyOptions(
            directory=place / f"valkey-{number}", socket=place / f"v{number}", users=USERS
        )
        self.port, self.bus = free_port(), free_port()
        self.operator = Link(Door(socket=self.options.socket, user="operator", password=PASSWORD, within=10.0))
        self.running: Running | None = None

    async def start(self) -> None:
        probe = functools.partial(valkey.probe, self.options)
        recipe = Recipe(name=self.options.directory.name, prepare=self._prepare, probe=probe)
        self.running = await start(recipe, on_line=lambda _line: None)

    async def _prepare(self) -> Command:
        command = await valkey.prepare(self.options)
        with valkey.configuration(self.options).open("a") as file:
            file.write(
                f"bind 127.0.0.1\nport {self.port}\ncluster-port {self.bus}\ncluster-enabled yes\n"
                f"cluster-node-timeout 1000\nprimaryuser operator\nprimaryauth {PASSWORD}\n"
            )
        return command

    async def ask(self, *words: str | int) -> str:
        found = await self.operator.call(*words)
        return found.decode() if isinstance(found, bytes) else str(found)

    async def writes(self) -> bool:
        role = await self.operator.call("ROLE")
        return isinstance(role, list) and role[0] == b"master"


class Servers:
    """Three that share the slots, and one that stands by for the first."""

    def __init__(self, place: Path) -> None:
        self.all = [Server(place, number) for number in range(4)]

    async def begin(self) -> None:
        await self.start()
        for number, (low, high) in enumerate(SHARES):
            await self.all[number].ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            await self.all[number].ask("CLUSTER", "ADDSLOTSRANGE", low, high)
        for other in self.all[1:]:
            await self.all[0].ask("CLUSTER", "MEET", "127.0.0.1", other.port, other.bus)
        first = await self.all[0].ask("CLUSTER", "MYID")
        await _until(lambda: self._replicating(first))
        await self.ready()

    async def start(self) -> None:
        await asyncio.gather(*(server.start() for server in self.all))

    async def ready(self) -> None:
        """Wait until all agree, and somebody stands by."""
        for server in self.all:
            await _until(functools.partial(self._agrees, server))
        await _until(self._stands_by)

    async def stop(self) -> None:
        for server in self.all:
            await server.operator.close()
            if server.running is not None:
                await server.running.process.stop()

    def url(self, name: str) -> str:
        user, secret = quote(name.replace(":", "-")), quote(PASSWORD, safe="")
        hosts = f"127.0.0.1:1,127.0.0.1:{self.all[1].port}"  # the first is never there
        return f"valkey+cluster://{user}:{secret}@{hosts}/{quote(name)}?within=10"

    async def _replicating(self, first: str) -> bool:
        with contextlib.suppress(EngineError):  # as long as it does not know the first
            return await self.all[3].ask("CLUSTER", "REPLICATE", first) == "OK"
        return False

    async def _agrees(self, server: Server) -> bool:
        told = await server.ask("CLUSTER", "INFO")
        return "cluster_state:ok" in told and "cluster_known_nodes:4" in told

    async def _stands_by(self) -> bool:
        told = [await server.ask("INFO", "replication") for server in self.all]
        return any("master_link_status:up" in one for one in told)


async def _until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await is_so():  # noqa: ASYNC110 - another process knows
            await asyncio.sleep(0.02)


class Harness:
    """The cluster, empty."""

    capabilities = catalog.engine("valkey").capabilities

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.opened: list[Cache] = []

    async def cache(self, name: str = MINE) -> Cache:
        found = open_cache(self.servers.url(name))
        await found.open()
        self.opened.append(found)
        return found

    async def later(self, seconds: float) -> None:
        for server in self.servers.all:
            keys = await server.operator.call("KEYS", "*") if await server.writes() else []
            assert isinstance(keys, list)
            for key in keys:
                assert isinstance(key, bytes)
                left = await server.operator.call("PTTL", key)
                assert isinstance(left, int)
                await server.operator.call("PEXPIRE", key, left - round(seconds * 1000))

    async def crash(self) -> None:
        for server in self.servers.all:
            assert server.running is not None
            await server.running.process.kill()

    async def start(self) -> None:
        await self.servers.start()
        await self.servers.ready()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(place: Path) -> AsyncIterator[Servers]:
    servers = Servers(place)
    try:
        await servers.begin()
        yield servers
    finally:
        await servers.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def harness(servers: Servers) -> AsyncIterator[Harness]:
    harness = Harness(servers)
    yield harness
    for cache in harness.opened:
        await soon(cache.close())
    for server in servers.all:
        if await server.writes():
            await server.operator.call("FLUSHALL")


class TestClusterValues(ValueContract):
    pass


class TestClusterSteps(StepContract):
    pass


class TestClusterClaims(ClaimContract):
    pass


class TestClusterLeases(FencedLeaseContract):
    pass


class TestClusterAway(AwayContract):
    pass


MANY = {f"k{number}": b"%d" % number for number in range(60)}


async def test_keys_lie_on_all_servers_and_each_step_of_one_key_in_one_slot(harness: Harness) -> None:
    cache = await harness.cache()
    await cache.set(MANY, TTL)
    counts = [await server.ask("DBSIZE") for server in harness.servers.all if await server.writes()]
    assert "0" not in counts
    assert await cache.get([*MANY]) == [*MANY.values()]
    for odd in ("", "}", "}}", "{", "{}", "{a}b", "/{/}"):
        assert await cache.claim(odd, b"t", TTL)
        assert await cache.fill(odd, b"t", odd.encode(), TTL)
        assert await cache.acquire(odd, TTL) is not None
        assert await cache.get([odd]) == [odd.encode()]
    await cache.delete([*MANY, ""])
    assert await cache.get([*MANY, ""]) == [None] * (len(MANY) + 1)


async def test_a_slot_that_is_on_its_way_is_followed(harness: Harness) -> None:
    cache, key = await harness.cache(), "wanderer"
    slot = slot_of(f"{prefix_of(MINE)}v{{{key}}}")
    source = await _owner(harness.servers, slot)
    target = await _owner(harness.servers, (slot + SLOTS // 2) % SLOTS)
    ids = [await server.ask("CLUSTER", "MYID") for server in (source, target)]
    await target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
    await source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
    assert await cache.add(key, 2, TTL) == 2, "the source has no such key, and says: ask there"
    assert await target.ask("CLUSTER", "COUNTKEYSINSLOT", slot) == "1"
    for server in (target, source):
        await server.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[1])
    assert await cache.add(key, 2, TTL) == 4, "moved for good"
    assert await cache.get([key, "other"]) == [b"4", None]


async def _owner(servers: Servers, slot: int) -> Server:
    told = await servers.all[1].operator.call("CLUSTER", "SLOTS")
    port = next(node.port for share, node in shares(told, Node("", 0)) if slot in share)
    return next(server for server in servers.all if server.port == port)


async def test_a_replica_takes_over_from_a_server_that_died(harness: Harness) -> None:
    cache = await harness.cache()
    await cache.set(MANY, TTL)
    token = await cache.acquire("l", TTL)
    assert token is not None
    dead = harness.servers.all[0] if await harness.servers.all[0].writes() else harness.servers.all[3]
    assert await dead.ask("WAIT", 1, 10_000) == "1"
    assert dead.running is not None
    await dead.running.process.kill()
    assert await _answered(cache) == [*MANY.values()]
    assert await cache.renew("l", token, TTL)
    assert await cache.acquire("l", TTL) is None
    await dead.start()
    await harness.servers.ready()
    assert not await dead.writes()
    assert await cache.get([*MANY]) == [*MANY.values()]


async def _answered(cache: Cache) -> list[bytes | None]:
    """Ask until somebody has taken over."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await cache.get([*MANY])
            except Unavailable:
                await asyncio.sleep(0.02)
