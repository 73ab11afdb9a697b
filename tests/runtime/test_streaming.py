"""Streams: what is told, when it ends, who may come, and where it goes on."""

import asyncio
import os
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal import (
    Cache,
    Issuer,
    Postgres,
    Principal,
    Problem,
    Service,
    System,
    TokenIssuer,
    Transaction,
    Update,
    Watch,
    anyone,
    event,
    record,
    signed_in,
)
from shoal.drivers.base import Store
from shoal.errors import DeclarationError
from shoal.model.openapi import openapi
from shoal.runtime import compile as compiling
from shoal.runtime import host, watching
from shoal.runtime.answers import ends
from shoal.runtime.asgi import scope
from shoal.service.describe import describe_service
from shoal.testing import MemorySystem
from shoal.tokens import LEEWAY, generate


@event("parcels.moved", key="parcel")
class Moved(msgspec.Struct, frozen=True):
    parcel: str
    step: int


@record("parcels", key="parcel")
class Parcel(msgspec.Struct, frozen=True):
    parcel: str
    step: int = 0


parcels = Service("parcels", store=Postgres(), publishes=[Moved])
ended: list[str] = []


@parcels.post("/parcels/{parcel}/{step}", access=anyone)
async def move(parcel: str, step: int, tx: Transaction) -> None:
    tx.put(Parcel(parcel, step))
    tx.publish(Moved(parcel, step))


@parcels.post("/login", access=anyone)
async def login(issuer: TokenIssuer) -> str:
    return issuer.issue("x")


@parcels.stream("/parcels/{parcel}/events", on=[Moved], access=signed_in)
async def follow(parcel: str, principal: Principal, watch: Watch) -> AsyncIterator[Update[Parcel]]:
    """Follow a parcel."""

    async def read(tx: Transaction) -> Parcel:
        found = await tx.get(Parcel, parcel)
        if found is None or principal.subject != "ada":
            raise Problem(404, "not-found")
        return found

    try:
        async for found in watch(read):
            yield Update(data=found, id=str(found.step), event="moved")
    finally:
        ended.append(parcel)


@parcels.stream("/few", access=anyone)
async def few() -> AsyncIterator[Update[int]]:
    yield Update(data=1)
    yield Update(data=2, id="two")


@parcels.stream("/broken", access=anyone)
async def broken() -> AsyncIterator[Update[int]]:
    yield Update(data=1)
    raise ValueError("secret")


@parcels.stream("/odd", access=anyone)
async def odd() -> AsyncIterator[Update[int]]:
    yield Update(data=1, id="a\ndata: 2")


@parcels.stream("/silent", access=anyone, heartbeat=0.1)
async def silent() -> AsyncIterator[Update[int]]:
    await asyncio.Event().wait()
    yield Update(data=1)


@parcels.stream("/pulse", access=signed_in, heartbeat=0.1)
async def pulse() -> AsyncIterator[Update[int]]:
    await asyncio.Event().wait()
    yield Update(data=1)


@parcels.stream("/short", access=anyone, timeout=0.2)
async def short() -> AsyncIterator[Update[int]]:
    yield Update(data=1)
    await asyncio.Event().wait()


SYSTEM = System("post", services=[parcels], issuer=Issuer(parcels, audience="post"))


class Listener:
    """One client of a stream."""

    def __init__(self, running: MemorySystem, path: str, headers: dict[str, str]) -> None:
        self._events: asyncio.Queue[bytes] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._started = asyncio.Event()
        self._asked = False
        self.status, self.headers = 0, dict[bytes, bytes]()
        host = running._hosts["parcels"]
        self.task = asyncio.create_task(host(scope("GET", path, headers), self._receive, self._send))

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
            self._started.set()
        else:
            self._events.put_nowait(message["body"])

    async def next(self) -> bytes:
        async with asyncio.timeout(10):
            return await self._events.get()

    async def rest(self) -> bytes:
        """Return everything up to the end."""
        async with asyncio.timeout(10):
            await self.task
        return b"".join(self._events.get_nowait() for _ in range(self._events.qsize()))

    def leave(self) -> None:
        self._gone.set()


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MemorySystem]:
    monkeypatch.setattr(ends, "LOOK", 0.0)
    monkeypatch.setattr(watching, "LOOK", 0.01)
    ended.clear()
    started = MemorySystem(SYSTEM, tmp_path)
    await started.start()
    yield started
    await started.stop()


def follower(running: MemorySystem, subject: str = "ada", **headers: str) -> Listener:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return Listener(running, "/parcels/p/events", {"authorization": f"Bearer {running.token(subject)}"} | said)


async def test_it_tells_what_is_and_then_what_comes(running: MemorySystem) -> None:
    await running.post("/parcels/p/1")
    client = follower(running)
    assert await client.next() == b"retry: 1000\n\n"
    assert await client.next() == b'id: 1\nevent: moved\ndata: {"parcel":"p","step":1}\n\n'
    assert (client.status, client.headers[b"content-type"]) == (200, b"text/event-stream")
    assert client.headers[b"cache-control"] == b"no-store"
    assert b"content-length" not in client.headers
    await running.post("/parcels/p/2")
    await running.post("/parcels/other/9")
    assert await client.next() == b'id: 2\nevent: moved\ndata: {"parcel":"p","step":2}\n\n'
    client.leave()
    await client.rest()
    assert ended == ["p"]


async def test_who_comes_back_goes_on_where_it_was(running: MemorySystem) -> None:
    await running.post("/parcels/p/1")
    client = follower(running, last_event_id="1")
    assert await client.next() == b"retry: 1000\n\n"
    await running.post("/parcels/p/2")
    assert (await client.next()).startswith(b"id: 2\n")
    other = follower(running, last_event_id="1")
    await other.next()
    assert (await other.next()).startswith(b"id: 2\n"), "what came meanwhile is told"
    client.leave()
    other.leave()
    await asyncio.gather(client.rest(), other.rest())


async def test_a_refusal_is_an_answer_of_its_own(running: MemorySystem) -> None:
    await running.post("/parcels/p/1")
    for client, status in (
        (follower(running, "bob"), 404),
        (Listener(running, "/parcels/p/events", {}), 401),
        (Listener(running, "/parcels/p/events", {"authorization": "Bearer a.b.c"}), 401),
    ):
        await client.rest()
        assert client.status == status
        assert client.headers[b"content-type"] == b"application/problem+json"


async def test_it_ends_when_the_process_leaves(running: MemorySystem) -> None:
    await running.post("/parcels/p/1")
    client = follower(running)
    await client.next()
    running._hosts["parcels"].leave()
    await client.rest()
    assert ended == ["p"]


def withdraw(folder: Path) -> None:
    """Have the issuer sign with another key from now on."""
    file = next(folder.rglob("jwks.json"))
    before = file.stat().st_mtime
    file.write_bytes(generate()[1])
    os.utime(file, (before + 1, before + 1))


async def test_it_ends_with_the_token_of_who_listens(running: MemorySystem) -> None:
    await running.post("/parcels/p/1")
    client = follower(running)
    assert [(await client.next())[:5] for _ in range(2)] == [b"retry", b"id: 1"]
    running.clock.advance(3600 + LEEWAY + 1)
    await running.post("/parcels/p/2")
    assert await client.rest() == b""
    assert ended == ["p"]


async def test_it_ends_when_the_key_is_withdrawn_that_signed_the_token(running: MemorySystem, tmp_path: Path) -> None:
    client = Listener(running, "/pulse", {"authorization": f"Bearer {running.token('ada')}"})
    assert [await client.next() for _ in range(2)] == [b"retry: 1000\n\n", b": \n\n"]
    withdraw(tmp_path)
    running.clock.advance(5)
    assert set((await client.rest()).split(b"\n\n")) <= {b": ", b""}


async def test_it_ends_with_its_generator_and_with_its_time(running: MemorySystem) -> None:
    assert await Listener(running, "/few", {}).rest() == b"retry: 1000\n\ndata: 1\n\nid: two\ndata: 2\n\n"
    assert await Listener(running, "/short", {}).rest() == b"retry: 1000\n\ndata: 1\n\n"


async def test_a_failure_says_nothing_of_the_inside(running: MemorySystem) -> None:
    for path in ("/broken", "/odd"):
        told = await Listener(running, path, {}).rest()
        assert told.endswith(b"\n\n")
        assert b"event: problem\n" in told
        assert b"secret" not in told


async def test_silence_is_broken_by_comments(running: MemorySystem) -> None:
    client = Listener(running, "/silent", {})
    assert [await client.next() for _ in range(3)] == [b"retry: 1000\n\n", b": \n\n", b": \n\n"]
    client.leave()
    await client.rest()


def test_the_document_says_so() -> None:
    answer = openapi(describe_service(parcels, issues_tokens=True))["paths"]["/parcels/{parcel}/events"]["get"]
    assert list(answer["responses"]["200"]["content"]) == ["text/event-stream"]


@pytest.mark.parametrize("options", [{"cache": Cache(5)}, {"idempotent": True}, {"status": 202}])
def test_what_is_said_of_answers_that_end_is_refused(options: Any) -> None:
    with pytest.raises(DeclarationError, match=f"cannot have {next(iter(options))}") as caught:
        Service("x").stream("/x", **options)(few)
    assert "test_streaming.py:" in str(caught.value)


async def test_all_endpoints_of_a_service_look_at_the_marks_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(store: Store) -> ends.Ends:
        made.append("ends")
        return ends.Ends(store)

    def compiled(*args: Any, **kwargs: Any) -> compiling.Compiled:
        made.append("service")
        return compiling.compile_service(*args, **kwargs)

    monkeypatch.setattr(compiling, "Ends", make)
    monkeypatch.setattr(host, "compile_service", compiled)
    started = MemorySystem(SYSTEM, tmp_path)
    await started.start()
    await started.stop()
    assert made.count("ends") == made.count("service") > 0


def test_a_stream_is_a_generator() -> None:
    with pytest.raises(DeclarationError, match="no asynchronous generator"):
        Service("x").stream("/x")(move)  # type: ignore[type-var]
    service = Service("y")
    service.get("/y", access=anyone)(few)  # type: ignore[type-var]
    with pytest.raises(DeclarationError, match="not asynchronous"):
        describe_service(service)
