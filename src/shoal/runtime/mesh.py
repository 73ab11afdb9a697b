"""Carry calls through the service's outbound proxy; the only file that knows the HTTP client."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import aiohttp

from shoal.errors import CallFailed, EngineError, Unavailable
from shoal.runtime.clients import Answer
from shoal.runtime.deadline import EXPECTED, REQUESTED

LARGEST = 1024 * 1024
"""Bytes of a document from outside."""


async def fetch(url: str, within: float = 5.0) -> bytes:
    """Get a small document from outside the system, within so many seconds, or raise `Unavailable`."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=within)) as session,
            session.get(url, allow_redirects=False, raise_for_status=True) as response,
        ):
            body = await response.content.read(LARGEST + 1)
            while len(body) <= LARGEST and (more := await response.content.read(LARGEST)):
                body += more
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unavailable(f"{url} cannot be fetched: {str(error) or type(error).__name__}") from error
    if response.status != 200 or len(body) > LARGEST:
        raise Unavailable(f"{url} answers with status {response.status} and more than a document of {LARGEST} bytes")
    return body


class NotReached(CallFailed):
    """Report a call of which nothing was sent, since nobody listens."""


SERVICE = "{service}"
"""Stands for the callee in an address; where it does, each service has one of its own."""


class Caller(Protocol):
    """Says who this process is, where a platform asks it of every call."""

    async def headers(self, audience: str) -> Mapping[str, str]:
        """Return headers for a callee by its address; raises `EngineError` or `Unavailable`."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class MeshTransport:
    """Sends each call to the outbound listener, which knows the callee by the authority, or to the callee.

    Args:
        address: ``unix:/path`` or ``http://HOST:PORT`` of the listener; ``http://{service}:8080`` where each service
            has a name, as in a cluster, whether a proxy stands between or not. Over ``https:`` the callee is known by
            its own name alone.
        caller: What says who this process is, where callees ask for it.
    """

    def __init__(self, address: str, caller: Caller | None = None) -> None:
        self._caller = caller
        path = address.removeprefix("unix:")
        connector = (
            aiohttp.UnixConnector(path=path, limit=256)
            if address.startswith("unix:")
            else aiohttp.TCPConnector(limit=256)
        )
        self._base = "" if address.startswith("unix:") else address
        self._named = SERVICE in address
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        """Send one request and read its whole answer within `within` seconds."""
        base = self._base.replace(SERVICE, service) or f"http://{service}"
        own = {} if base.startswith("https:") else {"host": service}
        own |= await self._shown(base, f"{service}{path}", within)
        if self._named and REQUESTED in headers:  # a proxy may translate it, where there is one
            own[EXPECTED] = headers[REQUESTED]
        try:
            async with self._session.request(
                method,
                f"{base}{path}",
                headers={**headers, **own},
                data=body or None,
                timeout=aiohttp.ClientTimeout(total=within),
                allow_redirects=False,
            ) as response:
                return Answer(response.status, await response.read())
        except TimeoutError:
            raise
        except aiohttp.ClientConnectorError as error:
            raise NotReached(f"{service}{path}", detail=f"no answer: {error}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise CallFailed(f"{service}{path}", detail=f"no answer: {error}") from error

    async def close(self) -> None:
        """Close the pool."""
        await self._session.close()
        if self._caller is not None:
            await self._caller.close()

    async def _shown(self, address: str, target: str, within: float) -> Mapping[str, str]:
        """Say who we are; nothing was sent where that cannot be said."""
        if self._caller is None:
            return {}
        try:
            async with asyncio.timeout(within):
                return await self._caller.headers(address)
        except EngineError as error:
            raise NotReached(target, detail=f"nobody says who we are: {error}") from error
