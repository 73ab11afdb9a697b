"""The registry: what it says of services, to whom, and since when."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shoal.local.ports import free_port
from shoal.local.registry import Register, RegistryServer
from shoal.local.state import ProcessState
from shoal.model.listing import Directory
from shoal.model.plan import plan
from shoal.model.target import LOCAL
from tests.mesh.samples import TINY, planned

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class World:
    port: int
    register: Register
    now: datetime = NOW
    processes: list[ProcessState] = field(default_factory=list)

    def look(self) -> Directory:
        outbound = {"orders": "unix:/tmp/orders.out"}
        return self.register.directory(planned(TINY), tuple(self.processes), outbound, "http://127.0.0.1:8000")

    async def ask(self, line: str, **headers: str) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        said = {"host": f"127.0.0.1:{self.port}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        writer.write(
            f"{line} HTTP/1.1\r\n{''.join(f'{k}: {v}' + chr(13) + chr(10) for k, v in said.items())}\r\n".encode()
        )
        async with asyncio.timeout(10):
            text = await reader.read()
        writer.close()
        head, _, body = text.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        return Answer(int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body)


@pytest.fixture(name="world")
async def _world() -> AsyncIterator[World]:
    world = World(free_port(), Register())
    world.register._now = lambda: world.now
    server = RegistryServer(world.look)
    await server.start(world.port)
    try:
        yield world
    finally:
        await server.stop()


def replica(service: str, slot: int, status: str = "ready", pid: int = 7) -> ProcessState:
    text = json.dumps(
        {"name": f"{service}-{slot}", "kind": "service", "service": service, "status": status, "pid": pid}
    )
    return msgspec.json.decode(text, type=ProcessState)


async def test_every_service_is_listed_with_its_health_and_since_when(world: World) -> None:
    name = planned(TINY).services[0].name
    world.processes = [replica(name, 0), replica(name, 1, "starting")]
    first = msgspec.json.decode((await world.ask("GET /services")).body, type=Directory)
    listing = first.service(name)
    assert (listing.health, listing.host, listing.since) == (
        "degraded",
        f"{name}.shoal.local",
        NOW.isoformat("T", "milliseconds"),
    )
    assert [r.status for r in listing.replicas] == ["ready", "starting"]
    assert {s.health for s in first.services if s.name != name} == {"down"}
    world.now += timedelta(seconds=5)
    world.processes[1] = replica(name, 1)
    later = msgspec.json.decode((await world.ask("GET /services")).body, type=Directory).service(name)
    assert (later.health, later.since) == ("up", world.now.isoformat("T", "milliseconds"))
    assert [r.since for r in later.replicas] == [listing.since, later.since]
    assert (await world.ask(f"GET /services/{name}")).body == (
        await world.ask(f"GET /services/{name}.shoal.local")
    ).body


async def test_an_answer_that_is_known_is_not_sent_again(world: World) -> None:
    answer = await world.ask("GET /services")
    assert answer.headers["cache-control"] == "max-age=2"
    again = await world.ask("GET /services", if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    world.processes = [replica(planned(TINY).services[0].name, 0)]
    assert (await world.ask("GET /services", if_none_match=answer.headers["etag"])).status == 200


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        ("GET /nothing", {}, 404),
        ("GET /services/nobody", {}, 404),
        ("GET /services/../services", {}, 404),
        ("POST /services", {}, 405),
        ("DELETE /services/orders", {}, 405),
        ("GET /services", {"host": "evil.example"}, 421),
        ("GET /services", {"host": ""}, 421),
        ("GET /health", {"host": "localhost:1"}, 200),
        ("GET /health", {"host": "registry.shoal.local"}, 200),
    ],
)
async def test_it_tells_only_and_only_to_who_calls_it_by_name(
    world: World, line: str, headers: dict[str, str], status: int
) -> None:
    answer = await world.ask(line, **headers)
    assert answer.status == status
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_head_without_end_is_cut_off(world: World) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(b"GET /services HTTP/1.1\r\n" + b"x: y\r\n" * 5000)
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    assert (await world.ask("GET /health")).status == 200
    writer.close()


def test_plans_of_the_laptop_list_every_service() -> None:
    decided = plan(TINY, LOCAL)
    listed = Register().directory(decided, (), {}, "http://127.0.0.1:1")
    assert [s.name for s in listed.services] == [s.name for s in decided.services]
    assert {s.name for s in listed.services if s.url} == {r.service for r in decided.routes}


def test_one_process_is_a_replica_of_every_service() -> None:
    text = json.dumps({"name": "tiny", "kind": "service", "status": "ready", "pid": 7})
    decided = plan(TINY, LOCAL)
    listed = Register().directory(decided, (msgspec.json.decode(text, type=ProcessState),), {}, "http://127.0.0.1:1")
    assert {s.health for s in listed.services} == {"up"}
    assert {r.name for s in listed.services for r in s.replicas} == {"tiny"}
