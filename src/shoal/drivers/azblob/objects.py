"""Objects in one container."""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

from shoal.drivers.azblob.address import BlobAddress
from shoal.drivers.azblob.sas import CREATE, READ, grant
from shoal.drivers.azblob.service import Absent, Beyond, BlobService
from shoal.drivers.base.objects import (
    ABSENT,
    PIECE,
    Stored,
    Upload,
    check_digest,
    check_name,
    check_seconds,
    check_type,
    disposition,
    md5,
    parts,
    pieces,
)
from shoal.errors import Conflict

BLOCK = 8 * 1024 * 1024
"""Bytes of one block of what is larger: Azure takes 50,000, so an object can have 390 GiB."""

_WHOLE_PAGE = 5000
"""Names of a page at most."""

_KIND = {"x-ms-blob-type": "BlockBlob"}


class BlobObjects:
    """Implements `base.objects.ObjectStore`.

    Whoever may write a blob may say anything of it, in its metadata as well. So no digest is kept there, where a client
    with a ticket could have written another one.

    Args:
        address: Where the container is.
        service: Asks.
    """

    def __init__(self, address: BlobAddress, service: BlobService) -> None:
        self._address, self._service = address, service
        self._left: tuple[str, str, str] = ("", "", "")

    async def open(self) -> None:
        """Do nothing: the first question connects."""

    async def close(self) -> None:
        """Let go of connections."""
        await self._service.close()

    async def put(
        self,
        name: str,
        content: bytes | AsyncIterable[bytes],
        type: str,
        *,
        expect: str | None = None,
        sha256: str = "",
    ) -> Stored:
        """Send an object, in blocks when it is large; nobody finds it before its blocks are listed."""
        path, whole, size, blocks, held = self._path(name), hashlib.sha256(), 0, list[str](), b""
        head = {"x-ms-blob-content-type": check_type(type), **_condition(expect)}
        upload = secrets.token_hex(8)  # names of blocks that no other writer of the same object has
        async for part in parts(content, BLOCK):
            if held:
                blocks.append(await self._block(path, f"{upload}{len(blocks):08}", held))
            whole.update(part)
            held, size = part, size + len(part)
        found = whole.hexdigest()
        check_digest(name, found, sha256)
        try:
            if blocks:
                blocks.append(await self._block(path, f"{upload}{len(blocks):08}", held))
                reply = await self._service.ask("PUT", path, {"comp": "blocklist"}, head, _block_list(blocks))
            else:
                reply = await self._service.ask("PUT", path, {}, {**head, **_KIND, "content-md5": md5(held)}, held)
        except Absent as absent:  # what should have been replaced is not there
            raise Conflict(f"object {name} is not as it was expected") from absent
        etag, modified = _etag(reply.headers["etag"]), parsedate_to_datetime(reply.headers["last-modified"])
        return Stored(name=name, size=size, type=type, etag=etag, modified=modified, sha256=found)

    async def get(self, name: str) -> bytes | None:
        """Read an object whole."""
        found = await self.read(name)
        return None if found is None else b"".join([piece async for piece in found])

    async def read(self, name: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes] | None:
        """Read an object from one answer."""
        if stop is not None and stop <= start:
            return None if await self.head(name) is None else pieces(b"")
        span = {"range": f"bytes={start}-{'' if stop is None else stop - 1}"} if start or stop is not None else {}
        try:
            return (await self._service.begin(self._path(name), span)).pieces(PIECE)
        except Absent:
            return None
        except Beyond:
            return pieces(b"")

    async def head(self, name: str) -> Stored | None:
        """Ask for an object's head."""
        try:
            reply = await self._service.ask("HEAD", self._path(name))
        except Absent:
            return None
        return stored(name, reply.headers)

    async def delete(self, name: str) -> None:
        """Remove an object."""
        with suppress(Absent):
            await self._service.ask("DELETE", self._path(name))

    async def list(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> Sequence[Stored]:
        """Ask for pages until one is full.

        Azure goes on only where a page of its own ended, by a mark that is its own. That of the last page is kept, so
        that page after page costs one question each; anybody else reads from the beginning.
        """
        place, where, mark = self._left
        known = (prefix, after) == (place, where)
        mark = mark if known else ""
        found: list[Stored] = []
        while len(found) < limit:
            page, mark = await self._page(prefix, mark, limit - len(found) if known or not after else _WHOLE_PAGE)
            found += [one for one in page if one.name > after]
            if not mark:
                return found[:limit]
        if len(found) == limit:
            self._left = (prefix, found[-1].name, mark)
        return found[:limit]

    async def link(self, name: str, seconds: float, *, download: str = "") -> str:
        """Sign a URL."""
        return await self._lent(name, READ, seconds, disposition(download))

    async def upload(
        self,
        name: str,
        seconds: float,
        *,
        type: str,
        size: int,  # noqa: ARG002 - nothing that Azure signs says one
    ) -> Upload:
        """Sign a URL that writes once; which type and how much is looked at by who takes it."""
        headers = {"content-type": check_type(type), **_KIND}
        return Upload(url=await self._lent(name, CREATE, seconds), headers=headers)

    def _path(self, name: str) -> str:
        return f"/{self._address.container}/{check_name(name)}"

    async def _block(self, path: str, name: str, content: bytes) -> str:
        block = base64.b64encode(name.encode()).decode()
        await self._service.ask(
            "PUT", path, {"comp": "block", "blockid": block}, {"content-md5": md5(content)}, content
        )
        return block

    async def _page(self, prefix: str, mark: str, limit: int) -> tuple[Sequence[Stored], str]:
        asked = {"restype": "container", "comp": "list", "maxresults": str(limit), "prefix": prefix, "marker": mark}
        said = {name: value for name, value in asked.items() if value}
        reply = await self._service.ask("GET", f"/{self._address.container}", said)
        found = ET.fromstring(reply.body)  # noqa: S314 - whom we asked says it
        return [_listed(one) for one in found.iterfind("Blobs/Blob")], found.findtext("NextMarker") or ""

    async def _lent(self, name: str, right: str, seconds: float, show: str = "") -> str:
        blob = self._path(name)
        until = datetime.now(UTC) + timedelta(seconds=check_seconds(seconds))
        signing = await self._service.signing(until)
        secure = self._address.base.startswith("https:")
        said = grant(signing, self._address.account + blob, right, until, secure=secure, show=show)
        return f"{self._address.base}{blob}?{said}"


def stored(name: str, headers: Mapping[str, str]) -> Stored | None:
    """Read a blob's head; one that Azure still copies from elsewhere, or failed to, is none."""
    if headers.get("x-ms-copy-status", "success") != "success":
        return None
    return Stored(
        name=name,
        size=int(headers["content-length"]),
        type=headers.get("content-type", ""),
        etag=_etag(headers["etag"]),
        modified=parsedate_to_datetime(headers["last-modified"]),
    )


def _listed(blob: ET.Element) -> Stored:
    said = {one.tag.lower(): one.text or "" for one in blob.iterfind("Properties/*")}
    return Stored(
        name=blob.findtext("Name") or "",
        size=int(said["content-length"]),
        etag=_etag(said["etag"]),
        modified=parsedate_to_datetime(said["last-modified"]),
    )


def _block_list(blocks: Sequence[str]) -> bytes:
    return f"<BlockList>{''.join(f'<Latest>{block}</Latest>' for block in blocks)}</BlockList>".encode()


def _condition(expect: str | None) -> Mapping[str, str]:
    if expect is None:
        return {}
    return {"if-none-match": "*"} if expect == ABSENT else {"if-match": f'"{expect}"'}


def _etag(said: str) -> str:
    return said.strip('"')
