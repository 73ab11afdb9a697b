"""Asks the interface of one account, and tells what its refusals mean.

Sources: Azure Storage REST reference, "Status and error codes", "Blob service error codes", "Versioning".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree as ET

from shoal.drivers.azblob.address import PRODUCT, BlobAddress
from shoal.drivers.azblob.sas import VERSION, Signing
from shoal.drivers.azblob.who import Holder, Identity, Who
from shoal.drivers.azure.identity import bearer
from shoal.drivers.base.bearer import Bearer
from shoal.drivers.base.observing import Asking
from shoal.drivers.base.pauses import Pauses, insist
from shoal.drivers.base.rest import Coming, Reply, Rest
from shoal.errors import Conflict, EngineError, Unavailable

SYSTEM = "azure.blob"
"""How its spans are told; there is no agreed name."""

SECONDS = 30.0
"""For one answer; 8 MiB may be on their way."""

PATIENCE = 3.0
"""Seconds for which it is tried again while an account has too much to do."""

_RESOURCE = "https://storage.azure.com"
_LISTS = 16 * 1024 * 1024
_CODE, _ERROR = "x-ms-error-code", 64 * 1024
_READING = frozenset({"GET", "HEAD"})
_BUSY = frozenset({429, 503})
_HINTS = {
    401: "does the account believe the tenant of this process?",
    403: "is it the account's key? an identity needs Storage Blob Data Contributor and, on the account, "
    "Storage Blob Delegator",
    404: "make the container first",
}  # fmt: skip


class Absent(EngineError):
    """There is no such blob."""


class Beyond(EngineError):
    """A blob has no byte there."""


class _Busy(Unavailable):
    """Nothing was done, since too much is asked."""


_MEANT: Mapping[str, type[EngineError]] = {
    "BlobNotFound": Absent,
    "InvalidRange": Beyond,
    "BlobAlreadyExists": Conflict,
    "ConditionNotMet": Conflict,
    "ContainerAlreadyExists": Conflict,
    "InvalidBlockList": Conflict,  # somebody else wrote the same blob meanwhile
}


class BlobService:
    """Asks again only where it is certain that nothing was done.

    Args:
        address: Which account.
        rest: Asks; one of its own when nothing is said.
        tokens: Say who we are where the address has no key; those of this process when nothing is said.
    """

    def __init__(self, address: BlobAddress, *, rest: Rest | None = None, tokens: Bearer | None = None) -> None:
        self._base = address.base
        self._rest = rest or Rest(f"{PRODUCT} at {address.base}", seconds=SECONDS, largest=_LISTS)
        self._who: Who = (
            Holder(address.account, address.key)
            if address.key
            else Identity(tokens or bearer(self._rest, _RESOURCE), self._lending_key)
        )

    async def ask(
        self,
        method: str,
        path: str,
        asked: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply:
        """Ask for one operation and return its whole answer.

        Args:
            method: What is done.
            path: ``/CONTAINER/NAME``.
            asked: Parameters of the URL.
            headers: Further ones; names in lower case.
            body: What is sent.

        Raises:
            Absent: There is no such blob.
            Conflict: It is not as it was expected.
            Unavailable: Trying again may help; it may have been done.
            EngineError: It refuses.
        """

        async def send() -> Reply:
            url, shown = await self._request(method, path, asked or {}, headers or {}, body)
            reply = await self._rest.ask(method, url, shown, body)
            if reply.status >= 300:
                raise self._meaning(f"{method} {path}", reply.status, reply.headers, reply.body)
            return reply

        with Asking(SYSTEM, _verb(method, asked or {}), path.split("/")[1]):
            return await insist(send, _pauses(), _Busy)

    async def begin(self, path: str, headers: Mapping[str, str]) -> Coming:
        """Ask for a blob, and return its answer as it comes; raises as `ask`, and `Beyond`."""

        async def send() -> Coming:
            url, shown = await self._request("GET", path, {}, headers, b"")
            coming = await self._rest.begin("GET", url, shown)
            if coming.status >= 300:
                said = [piece async for piece in coming.pieces(_ERROR)]
                raise self._meaning(f"GET {path}", coming.status, coming.headers, b"".join(said))
            return coming

        with Asking(SYSTEM, "GET", path.split("/")[1]):
            return await insist(send, _pauses(), _Busy)

    async def signing(self, until: datetime) -> Signing:
        """Return what signs a URL that ends then."""
        return await self._who.signing(until)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._rest.close()

    async def _lending_key(self, body: bytes) -> Reply:
        """Ask for a key that signs what an identity lends."""
        return await self.ask("POST", "/", {"restype": "service", "comp": "userdelegationkey"}, body=body)

    async def _request(
        self, method: str, path: str, asked: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> tuple[str, Mapping[str, str]]:
        shown = {"x-ms-version": VERSION, "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True), **headers}
        if method not in _READING:  # what a client adds by itself has to be signed, too
            shown["content-type"] = "application/octet-stream"
        if body:
            shown["content-length"] = str(len(body))
        url = f"{self._base}{quote(path)}"
        known = await self._who.headers(method, urlsplit(url).path, asked, shown)
        query = f"?{urlencode(asked, quote_via=quote)}" if asked else ""
        return url + query, {**shown, **known}

    def _meaning(self, what: str, status: int, headers: Mapping[str, str], body: bytes) -> EngineError:
        """Understand a refusal by its code; one of HEAD has no body."""
        code = headers.get(_CODE, "")
        if code in _MEANT:
            return _MEANT[code](f"{what}: {code}")
        said = f"{PRODUCT} refused {what}: {status} {code} {_message(body)}".rstrip()
        if status == 401:
            self._who.refused()
            return Unavailable(said, hint=_HINTS[401])
        if status in _BUSY:
            return _Busy(said, hint="try again")
        if status >= 500 or status == 408:
            return Unavailable(said, hint="try again")
        return EngineError(said, hint=_HINTS.get(status, ""))


def _verb(method: str, asked: Mapping[str, str]) -> str:
    """Name what is done, as Azure does: a method, and what of the resource is meant."""
    return f"{method} {asked['comp']}" if "comp" in asked else method


def _message(body: bytes) -> str:
    """Read the first line of what a refusal says; the others name the request and the time."""
    try:
        text = ET.fromstring(body).findtext("Message") or ""  # noqa: S314 - whom we asked says it
    except ET.ParseError:
        return ""
    return text.partition("\n")[0]


def _pauses() -> Pauses:
    return Pauses(PATIENCE, first=0.1, longest=1.0)
