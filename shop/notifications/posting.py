"""Requests to who sends mail by an interface of the web: the only file of this service that imports aiohttp."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import msgspec

TIMEOUT = 10.0
"""Seconds for a request."""

_LONGEST = 8000
"""Bytes of an answer that are read; a token has some two thousand."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, whatever it says."""

    status: int
    headers: Mapping[str, str]
    text: str


class NoAnswerError(Exception):
    """Report that nobody answered: it is not known what was done."""


class Poster:
    """Asks once, and follows nobody elsewhere: keys are shown to those alone whom they are for."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send a request as it stands, and read its answer; `NoAnswerError` when there is none."""
        try:
            async with self._http.request(
                method, url, headers=headers, data=body or None, allow_redirects=False
            ) as response:
                text = (await response.content.read(_LONGEST)).decode("utf-8", "replace")
                return Answer(status=response.status, headers=response.headers, text=text)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NoAnswerError(str(error) or type(error).__name__) from error


@asynccontextmanager
async def posting() -> AsyncIterator[Poster]:
    """Keep connections open."""
    limits = aiohttp.ClientTimeout(total=TIMEOUT, sock_connect=TIMEOUT / 4)
    async with aiohttp.ClientSession(timeout=limits, raise_for_status=False) as http:
        yield Poster(http)
