"""Find services from outside the mesh: ask the registry, keep what it says, call by contract through the gateway."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar, cast
from urllib.parse import quote

import msgspec

from shoal.errors import CallFailed, CallTimedOut, ShoalError, Unavailable
from shoal.model.listing import DOMAIN, Directory, Instance, Listing
from shoal.runtime.clients import Answer, Transport, client

__all__ = ["Directory", "Instance", "Listing", "Registry"]

C = TypeVar("C")

_log = logging.getLogger("shoal.discovery")

PAUSE = 1.0
"""Seconds after a failed look-up during which what is kept is used without asking again."""


class _Kept(msgspec.Struct):
    listing: Listing
    at: float


class Registry:
    """Looks services up and keeps what it is told.

    Args:
        url: Base URL of the registry, as `shoal ps` shows it.
        ttl: Seconds for which an answer is used without asking again.
        stale: Seconds beyond `ttl` for which it is used when the registry does not answer.
        timeout: Seconds that one look-up may take.
        token: Sent as a bearer token with calls to services, where there is one.
        transport: Carries requests to a base URL; tests give their own.
        seconds: Tells the time.
    """

    def __init__(
        self,
        url: str,
        *,
        ttl: float = 5.0,
        stale: float = 300.0,
        timeout: float = 2.0,
        token: str = "",
        transport: Callable[[str], Transport] | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url, self.ttl, self.stale, self.timeout, self.token = url.rstrip("/"), ttl, stale, timeout, token
        self._open = transport or _http
        self._transports: dict[str, Transport] = {}
        self._seconds = seconds
        self._kept: dict[str, _Kept] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._again = float("-inf")

    async def __aenter__(self) -> Self:
        """Begin; connections are made when they are needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self.close()

    async def service(self, name: str) -> Listing:
        """Look a service up; many that ask at once are one question.

        Raises:
            ShoalError: There is no such service.
            Unavailable: The registry does not answer, and nothing that was kept is young enough.
        """
        kept = self._young(name, self.ttl)
        if kept is None:
            async with self._asking.setdefault(name, asyncio.Lock()):
                kept = self._young(name, self.ttl) or await self._fetch(name)
        return kept.listing

    async def services(self) -> Directory:
        """List every service; always asks."""
        answer = await self._ask("/services")
        directory = msgspec.json.decode(answer.body, type=Directory)
        for listing in directory.services:
            self._kept[listing.name] = _Kept(listing, self._seconds())
        return directory

    def client(self, contract: Callable[..., C]) -> C:
        """Make a typed client of a contract; its calls go to wherever the registry says its service is."""
        made: C = client(cast("type", contract), _Found(self))
        return made

    async def close(self) -> None:
        """Close every connection."""
        for transport in self._transports.values():
            await transport.close()
        self._transports.clear()

    def transport(self, url: str) -> Transport:
        """Return what carries requests to a base URL."""
        if url not in self._transports:
            self._transports[url] = self._open(url)
        return self._transports[url]

    def _young(self, name: str, limit: float) -> _Kept | None:
        kept = self._kept.get(name)
        return kept if kept is not None and self._seconds() - kept.at <= limit else None

    async def _fetch(self, name: str) -> _Kept:
        last = self._young(name, self.ttl + self.stale)
        if last is not None and self._seconds() < self._again:
            return last
        try:
            answer = await self._ask(f"/services/{quote(name, safe='')}")
        except Unavailable as error:
            self._again = self._seconds() + PAUSE
            if last is None:
                raise
            _log.warning("%s: what is known of %s is used, although it is old", error.message, name)
            return last
        if answer.status == 404:
            self._kept.pop(name, None)
            raise ShoalError(f"the registry at {self.url} knows no service {name!r}", hint="see `shoal ps`")
        kept = self._kept[name] = _Kept(msgspec.json.decode(answer.body, type=Listing), self._seconds())
        return kept

    async def _ask(self, path: str) -> Answer:
        headers = {"accept": "application/json"}
        carrier = self.transport(self.url)
        try:
            answer = await carrier.send(f"registry.{DOMAIN}", "GET", path, headers, b"", self.timeout)
        except (CallFailed, TimeoutError) as error:
            raise Unavailable(f"the registry at {self.url} does not answer", hint="is the system running?") from error
        if answer.status not in (200, 404):
            raise Unavailable(f"the registry at {self.url} answers {answer.status}", hint="is it the right address?")
        return answer


class _Found:
    """Carries each call to where its service is by then."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        """Look the service up, and send one request within `within` seconds."""
        began = time.monotonic()
        try:
            listing = await asyncio.wait_for(self._registry.service(service), within)
        except TimeoutError as error:
            raise CallTimedOut(service, detail="it could not be looked up in time") from error
        except ShoalError as error:
            raise CallFailed(service, detail=error.message) from error
        if not listing.url:
            raise CallFailed(service, detail="the gateway has no route to it")
        said = dict(headers)
        if self._registry.token:
            said.setdefault("authorization", f"Bearer {self._registry.token}")
        left = max(0.001, within - (time.monotonic() - began))
        return await self._registry.transport(listing.url).send(listing.host, method, path, said, body, left)

    async def close(self) -> None:
        """Leave the connections to the registry's owner."""


def _http(url: str) -> Any:
    from shoal.runtime.mesh import MeshTransport  # noqa: PLC0415 - its client takes 0.1 s to import

    return MeshTransport(url)
