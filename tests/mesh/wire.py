"""HTTP/1.1 written out by hand: a client that sends what no library would, and an application to receive it."""

import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shoal.local.probe import until
from shoal.mesh.layout import Address, Pipe

T = TypeVar("T")

_ANSWER = "x-test-answer-"
_WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3

WITHIN = 20.0
"""Seconds after which a test has hung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def ask(
    where: Address,
    line: str,
    *,
    host: str = "example.test",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    tls: ssl.SSLContext | None = None,
    local: str = "",
) -> Answer:
    """Send one request, such as ``GET /x``, over a connection of its own, from the address `local` if one is given."""
    async with asyncio.timeout(WITHIN):
        reader, writer = await _connect(where, tls, local)
        try:
            fields = {"host": host, "connection": "close", "content-length": str(len(body))} | dict(headers or {})
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            writer.write(f"{line} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
            await writer.drain()
            status, got = await _head(reader)
            return Answer(status=int(status.split()[1]), headers=got, body=await _body(reader, got))
        finally:
            writer.transport.abort()  # an orderly end would wait for Envoy's delayed close


async def _connect(
    where: Address, tls: ssl.SSLContext | None, local: str = ""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(where, Pipe):
        name = "mesh.test" if tls else None
        return await asyncio.open_unix_connection(where.path, ssl=tls, server_hostname=name)
    name, source = ("localhost" if tls else None), ((local, 0) if local else None)
    return await asyncio.open_connection(where.host, where.port, ssl=tls, server_hostname=name, local_addr=source)


async def _head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
    return first, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        whole = b""
        while size := int((await reader.readline()).strip(), 16):
            whole += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return whole
    return await reader.readexactly(int(headers.get("content-length", 0)))


async def shown_certificate(where: Pipe, tls: ssl.SSLContext) -> bytes:
    """Return the certificate that a server shows (DER)."""
    _, writer = await _connect(where, tls)
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(shown, bytes)
        return shown
    finally:
        writer.transport.abort()


@dataclass(slots=True, kw_only=True)
class App:
    """An application on a UNIX socket that answers with what it saw.

    ``x-test-hold`` makes a request wait for `release`; ``x-test-status`` chooses the status, and ``x-test-answer-NAME``
    gives the answer a header; ``x-test-number`` asks which request of all it is. A WebSocket is opened when asked for.
    """

    name: str
    version: str = ""
    seen: list[Request] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    connections: set[asyncio.StreamWriter] = field(default_factory=set)
    hung_up: int = 0
    """Held requests whose connection ended."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                first, headers = await _head(reader)
                method, path, _ = first.split(" ")
                request = Request(method=method, path=path, headers=headers, body=await _body(reader, headers))
                self.seen.append(request)
                if "x-test-hold" in headers:
                    await self._hold(reader)
                writer.write(self._reply(request))
                await writer.drain()
        self.connections.discard(writer)
        writer.close()

    async def _hold(self, reader: asyncio.StreamReader) -> None:
        """Wait to be released, or for the end of the connection."""
        released, ended = asyncio.ensure_future(self.release.wait()), asyncio.ensure_future(reader.read(1))
        done, _ = await asyncio.wait({released, ended}, return_when=asyncio.FIRST_COMPLETED)
        self.hung_up += ended in done
        released.cancel()
        ended.cancel()
        await asyncio.gather(released, ended, return_exceptions=True)

    def _reply(self, request: Request) -> bytes:
        status = request.headers.get("x-test-status", "200")
        if "sec-websocket-key" in request.headers:
            accepted = hashlib.sha1(f"{request.headers['sec-websocket-key']}{_WEBSOCKET}".encode()).digest()  # noqa: S324 - RFC 6455 asks for it
            head = "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            return f"{head}sec-websocket-accept: {base64.b64encode(accepted).decode()}\r\n\r\n".encode()
        asked = {k.removeprefix(_ANSWER): v for k, v in request.headers.items() if k.startswith(_ANSWER)}
        content: dict[str, Any] = {
            "app": self.name,
            "method": request.method,
            "path": request.path,
            "headers": request.headers,
        }
        content |= {"version": self.version} if self.version else {}
        content |= {"number": len(self.seen)} if "x-test-number" in request.headers else {}
        body = json.dumps(content | {"size": len(request.body)}).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nserver: inside\r\nx-powered-by: inside\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in asked.items())
        if status == "304":
            return f"{head}\r\n".encode()
        return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def eventually_true(check: Callable[[], Awaitable[bool]]) -> None:
    """Repeat `check` until it holds."""

    async def found() -> bool | None:
        return await check() or None

    async with asyncio.timeout(WITHIN):
        await until(found)


@contextlib.asynccontextmanager
async def asking(one: Callable[[], Awaitable[T]], *, clients: int = 4) -> AsyncIterator[list[T]]:
    """Ask again and again, by several clients, and keep what they get; leaving waits for what is under way."""
    got: list[T] = []
    stop = asyncio.Event()

    async def client() -> None:
        while not stop.is_set():
            got.append(await one())

    tasks = [asyncio.create_task(client()) for _ in range(clients)]
    try:
        yield got
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def more(got: list[T], count: int) -> None:
    """Wait until so many more have come."""
    goal = len(got) + count

    async def reached() -> bool:
        return len(got) >= goal

    await eventually_true(reached)


@contextlib.asynccontextmanager
async def serving(app: App, where: Pipe) -> AsyncIterator[App]:
    """Serve `app`; leaving cuts its connections as the end of its process would."""
    server = await asyncio.start_unix_server(app.serve, where.path)
    try:
        yield app
    finally:
        app.release.set()
        server.close()
        for writer in tuple(app.connections):
            writer.transport.abort()
