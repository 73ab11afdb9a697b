"""HTTP/1.1 as a browser speaks it, with little effort: what the generator uses, the system under load lacks.

Each visitor has connections of his own and, where the target is this machine, an address of his own out of 127.0.0.0/8,
so that limits by address count people apart. Answers are parsed by httptools, as the services' own server does.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import cast

import httptools
import msgspec

from shoal.load.answer import Answer


class Lost(Exception):
    """The server closed a connection before it had answered, or answered what is no HTTP."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where requests go."""

    host: str
    port: int
    authority: str
    """The ``Host`` header."""
    name: str = ""
    """Which the server's certificate must bear."""
    tls: ssl.SSLContext | None = None
    here: bool = True
    """Whether it is this machine."""
    many_addresses: bool = False
    """Whether visitors come from addresses of their own."""


class Connection(asyncio.Protocol):
    """One connection: a request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)
        self._lasting = True

    @property
    def reusable(self) -> bool:
        """Whether another request may go this way."""
        return self._transport is not None and self._waiting is None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        """End; who waits learns it."""
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Lost(str(exc) if exc else "closed without an answer"))

    async def ask(self, request: bytes) -> Answer:
        """Send a request and return its whole answer; raises `Lost`."""
        if self._transport is None:
            raise Lost("closed before the request")
        self._reset()
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            answer = await self._waiting
        except BaseException:
            self.close()
            raise
        finally:
            self._waiting = None
        if not self._lasting:
            self.close()
        return answer

    def close(self) -> None:
        """Hang up, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_exception(Lost(f"no HTTP: {error}"))
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; of several with one name all, in lines."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}\n{text}" if key in self._headers else text

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Give the answer to who waits."""
        status = self._parser.get_status_code()
        self._lasting = self._parser.should_keep_alive()
        if status < 200:
            self._headers, self._body = {}, []
        elif self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Answer(status=status, headers=self._headers, body=b"".join(self._body)))

    def _reset(self) -> None:
        """Forget the answer before."""
        self._parser = httptools.HttpResponseParser(self)
        self._headers, self._body = {}, []


class Browser:
    """The connections of one visitor."""

    def __init__(self, site: Site, number: int) -> None:
        self._site = site
        self._address = (address_of(number), 0) if site.many_addresses else None
        self._idle: list[Connection] = []
        self._all: list[Connection] = []

    async def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one request; raises `Lost`, or `OSError` when there is no connection."""
        connection = await self._connection()
        answer = await connection.ask(written(self._site.authority, method, target, headers, body))
        self._idle.append(connection)
        return answer

    def close(self) -> None:
        """Hang up."""
        for connection in self._all:
            connection.close()

    async def _connection(self) -> Connection:
        while self._idle:
            if (connection := self._idle.pop()).reusable:
                return connection
        self._all = [connection for connection in self._all if connection.reusable]
        site, loop = self._site, asyncio.get_running_loop()
        _, made = await loop.create_connection(
            Connection, site.host, site.port, ssl=site.tls, local_addr=self._address,
            server_hostname=site.name if site.tls else None,
        )  # fmt: skip
        self._all.append(made)
        return made


def written(authority: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Write a request as it travels; refuses what would be two."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {authority}", *(f"{k}: {v}" for k, v in headers.items())]
    if body or method in {"POST", "PUT", "PATCH"}:
        lines.append(f"content-length: {len(body)}")
    if any("\r" in line or "\n" in line for line in lines) or " " in target:
        raise ValueError(f"{method} {target!r} or its headers hold a blank or the end of a line; quote them")
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def address_of(number: int) -> str:
    """Give a visitor an address of this machine: 127.1.0.1 and on, and after sixteen million of them again."""
    second, third, fourth = number // 62_500 % 254 + 1, number // 250 % 250, number % 250 + 1
    return f"127.{second}.{third}.{fourth}"
