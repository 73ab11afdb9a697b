"""Carry calls through the service's outbound proxy; the only file that knows the HTTP client."""

from collections.abc import Mapping

import aiohttp

from shoal.errors import CallFailed
from shoal.runtime.clients import Answer


class MeshTransport:
    """Sends each call to the outbound listener, which knows the callee by the authority."""

    def __init__(self, address: str) -> None:
        path = address.removeprefix("unix:")
        connector = (
            aiohttp.UnixConnector(path=path, limit=256)
            if address.startswith("unix:")
            else aiohttp.TCPConnector(limit=256)
        )
        self._base = "" if address.startswith("unix:") else address
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        """Send one request and read its whole answer within `within` seconds."""
        host = {"host": service}
        try:
            async with self._session.request(
                method,
                f"{self._base or f'http://{service}'}{path}",
                headers={**headers, **host},
                data=body or None,
                timeout=aiohttp.ClientTimeout(total=within),
                allow_redirects=False,
            ) as response:
                return Answer(response.status, await response.read())
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise CallFailed(f"{service}{path}", detail=f"no answer: {error}") from error

    async def close(self) -> None:
        """Close the pool."""
        await self._session.close()
