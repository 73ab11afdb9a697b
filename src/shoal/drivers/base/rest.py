"""Asks interfaces over HTTP; the drivers' one file that knows the HTTP client. It never asks again by itself."""

import asyncio
import contextlib
import io
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

import aiohttp
import msgspec

from shoal.errors import EngineError, Unavailable

LARGEST = 1024 * 1024
"""Bytes of an answer, where nothing else is said."""

CONNECTIONS = 100

_CLOSING = 1.0
_NOTHING: Mapping[str, str] = {}


class Reply(NamedTuple):
    """What was answered."""

    status: int
    body: bytes
    headers: Mapping[str, str] = _NOTHING
    """By name, in whichever case."""

    def read(self) -> Any:
        """Read the body as JSON; None where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None


class Coming:
    """An answer of which the body is still to come, exactly as it is sent."""

    def __init__(self, product: str, response: aiohttp.ClientResponse) -> None:
        self._product, self._response = product, response
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers

    async def pieces(self, size: int) -> AsyncIterator[bytes]:
        """Read the body, at most `size` bytes at a time; `Unavailable` when it breaks off."""
        try:
            while piece := await self._response.content.read(size):
                yield piece
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _away(f"{self._product} broke off its answer", error) from error
        finally:
            self._response.close()


class Rest:
    """A client that connects when it is first asked, for the tasks of one event loop.

    Args:
        product: What is asked, for messages.
        seconds: How long an answer may take.
        connections: How many requests can be under way.
        largest: Bytes of an answer.
        tls: What verifies the servers; the certificates that the machine trusts, when nothing is said.
    """

    def __init__(
        self,
        product: str,
        *,
        seconds: float = 10.0,
        connections: int = CONNECTIONS,
        largest: int = LARGEST,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._product, self._seconds, self._tls = product, seconds, tls
        self._connections, self._largest = connections, largest
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Send one request and read its whole answer; redirects are answers.

        Raises:
            Unavailable: There was no answer; it is not known whether anything was done.
            EngineError: The answer has no end.
        """
        try:
            async with self._open().request(
                method, url, headers=headers, data=_sent(body), allow_redirects=False
            ) as response:
                found = await self._read(response)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _away(f"{self._product} did not answer", error) from error
        return Reply(response.status, found, response.headers)

    async def begin(self, method: str, url: str, headers: Mapping[str, str]) -> Coming:
        """Send one request and read how its answer begins; each further piece may take as long as an answer.

        Raises:
            Unavailable: There was no answer.
        """
        patience = aiohttp.ClientTimeout(total=None, connect=self._seconds, sock_read=self._seconds)
        try:
            response = await self._open().request(
                method, url, headers=headers, allow_redirects=False, auto_decompress=False, timeout=patience
            )
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _away(f"{self._product} did not answer", error) from error
        return Coming(self._product, response)

    async def close(self) -> None:
        """Let go of every connection; the next question connects again."""
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING):
                    await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, ssl=True if self._tls is None else self._tls),
                timeout=aiohttp.ClientTimeout(total=self._seconds),
            )
        return self._session

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        found = bytearray()
        while more := await response.content.read(LARGEST):
            found += more
            if len(found) > self._largest:
                raise EngineError(f"{self._product} answers with more than {self._largest} bytes")
        return bytes(found)


def _away(what: str, error: Exception) -> Unavailable:
    return Unavailable(f"{what}: {str(error) or type(error).__name__}", hint="look whether it can be reached")


def _sent(body: bytes) -> bytes | io.BytesIO | None:
    """Return what is sent piece by piece where it is long, so that nobody else waits meanwhile."""
    return io.BytesIO(body) if len(body) > LARGEST // 2 else body or None
