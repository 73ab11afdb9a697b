"""Key sets of issuers: from files, which are read again when they change, and from URLs, which may be away at times."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from shoal.errors import Unavailable
from shoal.tokens import Verifier

Make = Callable[[bytes], Verifier]
Fetch = Callable[[str], Awaitable[bytes]]

AGAIN = 10.0
"""Seconds between two fetches at the earliest, whatever tokens ask for: strangers can make up names of keys."""

_log = logging.getLogger("shoal.keys")


async def get(url: str) -> bytes:
    """Get a key set by HTTP, or raise `Unavailable`."""
    from shoal.runtime.mesh import fetch  # noqa: PLC0415 - the HTTP client, which few services need here

    return await fetch(url)


class Keys(Protocol):
    """Where the keys of one issuer come from. `now` is read off a clock that never goes back."""

    version: int
    """Counts the key sets that were in use."""

    def glance(self, now: float) -> None:
        """Look after them without waiting."""
        ...

    async def verifier(self, kid: object, now: float) -> Verifier:
        """Return what verifies with the keys of now, having looked for one of this name; or raise `Unavailable`."""
        ...


class FileKeys:
    """Keys in a file; a rotated file is noticed by its time of change."""

    def __init__(self, file: Path, make: Make) -> None:
        self._file, self._make = file, make
        self.version = 0
        self._changed = 0.0
        self._verifier: Verifier | None = None
        self.glance(0)

    def glance(self, now: float) -> None:  # noqa: ARG002 - a file says itself whether it changed
        """Read the file again if it changed; one that cannot be read leaves the keys as they are."""
        try:
            changed = self._file.stat().st_mtime
            if changed != self._changed:
                self._verifier = self._make(self._file.read_bytes())
                self._changed = changed
                self.version += 1
        except (OSError, ValueError) as error:
            _log.warning("keys of %s cannot be read: %s", self._file.name, error)

    async def verifier(self, kid: object, now: float) -> Verifier:
        """Return what verifies; a key that is not known may have come since."""
        if self._verifier is None or not self._verifier.knows(kid):
            self.glance(now)
        if self._verifier is None:
            raise Unavailable("the keys of the token's issuer cannot be read")
        return self._verifier


class UrlKeys:
    """Keys behind a URL: fetched at first need, then in the background; those of before stay while it is away."""

    def __init__(self, url: str, make: Make, *, refresh: float, fetch: Fetch) -> None:
        self._url, self._make, self._fetch, self._refresh = url, make, fetch, refresh
        self._verifier: Verifier | None = None
        self._document = b""
        self._tried = float("-inf")
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.version = 0

    def glance(self, now: float) -> None:
        """Begin to fetch keys that are old."""
        is_old = self._verifier is not None and now - self._tried >= self._refresh
        if is_old and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._renew(now, self._refresh))

    async def verifier(self, kid: object, now: float) -> Verifier:
        """Return what verifies, waiting for keys only where there are none, or none of this name."""
        if self._verifier is None or not self._verifier.knows(kid):
            await self._renew(now, AGAIN)
        if self._verifier is None:
            raise Unavailable("the keys of the token's issuer cannot be fetched")
        return self._verifier

    async def _renew(self, now: float, gap: float) -> None:
        async with self._lock:  # many requests may need the same keys; one fetch serves them all
            if now - self._tried < gap:
                return
            self._tried = now
            try:
                document = await self._fetch(self._url)
                if document != self._document:
                    self._verifier = self._make(document)
                    self._document = document
                    self.version += 1
            except (Unavailable, ValueError) as error:
                _log.warning("keys cannot be fetched from %s: %s", self._url, error)
