"""Objects as files, from an event loop: every touch of the disk is in a thread."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from pathlib import Path

from shoal.drivers.base.objects import (
    PIECE,
    Stored,
    Upload,
    check_digest,
    check_name,
    check_seconds,
    check_type,
    pieces,
)
from shoal.drivers.base.observing import Asking
from shoal.drivers.base.signing import Signer
from shoal.drivers.folder.files import Draft, Folder, Opened

SYSTEM = "folder"
"""How its spans are told."""


class FolderObjects:
    """Implements `base.objects.ObjectStore`; several processes may have the same folder."""

    def __init__(self, folder: str, signer: Signer) -> None:
        self._folder, self._signer = Folder(Path(folder)), signer

    async def open(self) -> None:
        """Make the folder, and remove what writers left that died long ago."""
        await asyncio.to_thread(self._folder.make)

    async def close(self) -> None:
        """Do nothing: no file stays open."""

    async def put(
        self,
        name: str,
        content: bytes | AsyncIterable[bytes],
        type: str,
        *,
        expect: str | None = None,
        sha256: str = "",
    ) -> Stored:
        """Write a draft and give it its name once all of it is on the disk."""
        check_name(name), check_type(type)
        with Asking(SYSTEM, "put"):
            draft = await asyncio.to_thread(Draft, self._folder)
            try:
                async for piece in pieces(content):
                    await asyncio.to_thread(draft.write, piece)
                check_digest(name, draft.sha256, sha256)
            except BaseException:
                draft.discard()
                raise
            return await asyncio.to_thread(draft.keep, name, type, expect)

    async def get(self, name: str) -> bytes | None:
        """Read all of a file."""
        check_name(name)
        with Asking(SYSTEM, "get"):
            return await asyncio.to_thread(self._folder.content, name)

    async def read(self, name: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes] | None:
        """Read a file that stays open, so that it is one content whoever replaces it."""
        check_name(name)
        with Asking(SYSTEM, "read"):
            opened = await asyncio.to_thread(self._folder.opened, name)
        return None if opened is None else _read(opened, start, opened.stored.size if stop is None else stop)

    async def head(self, name: str) -> Stored | None:
        """Read the head of a file."""
        check_name(name)
        with Asking(SYSTEM, "head"):
            return await asyncio.to_thread(self._folder.head, name)

    async def delete(self, name: str) -> None:
        """Remove a file."""
        check_name(name)
        with Asking(SYSTEM, "delete"):
            await asyncio.to_thread(self._folder.remove, name)

    async def list(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> Sequence[Stored]:
        """Sort the names of the files."""
        with Asking(SYSTEM, "list"):
            return await asyncio.to_thread(self._folder.list, prefix, after, limit)

    async def link(self, name: str, seconds: float, *, download: str = "") -> str:
        """Sign a URL."""
        return self._signer.sign("GET", check_name(name), check_seconds(seconds), download=download)

    async def upload(self, name: str, seconds: float, *, type: str, size: int) -> Upload:
        """Sign a URL that writes once."""
        url = self._signer.sign("PUT", check_name(name), check_seconds(seconds), type=check_type(type), size=size)
        return Upload(url=url, headers={"content-type": type, "if-none-match": "*"})


async def _read(opened: Opened, start: int, stop: int) -> AsyncIterator[bytes]:
    try:
        while start < stop and (piece := await asyncio.to_thread(opened.piece, start, min(stop - start, PIECE))):
            yield piece
            start += len(piece)
    finally:
        opened.close()
