"""Who asks: the holder of an account's key, or an identity, which signs what it lends with a key of a few days."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol
from xml.etree import ElementTree as ET

from shoal.drivers.azblob.sas import Signing, sign, stamp
from shoal.drivers.base.bearer import Bearer
from shoal.drivers.base.rest import Reply
from shoal.errors import EngineError

CLOCKS = timedelta(minutes=10)
"""By how much clocks may differ."""

DAYS = timedelta(days=7) - 2 * CLOCKS
"""How long from now a key for lending is good for: Azure lends none for more than a week."""

_SIGNED = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip


class Who(Protocol):
    """Shows an interface who asks it."""

    async def headers(
        self, method: str, path: str, asked: Mapping[str, str], headers: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Return what a request of these headers says besides.

        Args:
            method: What is done.
            path: The URL's, as it is sent.
            asked: Its parameters.
            headers: Names in lower case.
        """
        ...

    async def signing(self, until: datetime) -> Signing:
        """Return what signs a URL that ends then."""
        ...

    def refused(self) -> None:
        """Hear that we are not known."""
        ...


class Holder:
    """Signs each request with the account's key ("Authorize with Shared Key")."""

    def __init__(self, account: str, key: bytes) -> None:
        self._account, self._key = account, key

    async def headers(
        self, method: str, path: str, asked: Mapping[str, str], headers: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Sign the request."""
        ours = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-ms-"))
        resource = f"/{self._account}{path}" + "".join(f"\n{name}:{asked[name]}" for name in sorted(asked))
        text = "\n".join([method, *(headers.get(name, "") for name in _SIGNED), ours + resource])
        return {"authorization": f"SharedKey {self._account}:{sign(self._key, text)}"}

    async def signing(self, until: datetime) -> Signing:  # noqa: ARG002 - the contract's parameter
        """Return the account's key, which has no end."""
        return Signing(key=self._key)

    def refused(self) -> None:
        """Do nothing: there is no other key."""


class Identity:
    """Shows tokens.

    Args:
        bearer: Has them.
        ask: Asks for a key for lending ("Get User Delegation Key") with a body.
    """

    def __init__(self, bearer: Bearer, ask: Callable[[bytes], Awaitable[Reply]]) -> None:
        self._bearer, self._ask = bearer, ask
        self._asking = asyncio.Lock()
        self._signing: Signing | None = None

    async def headers(
        self,
        method: str,  # noqa: ARG002 - the contract's parameters
        path: str,  # noqa: ARG002
        asked: Mapping[str, str],  # noqa: ARG002
        headers: Mapping[str, str],  # noqa: ARG002
    ) -> Mapping[str, str]:
        """Show a token."""
        return await self._bearer.headers()

    async def signing(self, until: datetime) -> Signing:
        """Return the key that there is, or another one where it ends too early."""
        async with self._asking:
            if self._signing is None or self._signing.ends < until:
                now = datetime.now(UTC)
                body = f"<KeyInfo><Start>{stamp(now - CLOCKS)}</Start><Expiry>{stamp(now + DAYS)}</Expiry></KeyInfo>"
                self._signing = _delegated(await self._ask(body.encode()), now + DAYS)
            return self._signing

    def refused(self) -> None:
        """Let go of the token."""
        self._bearer.forget()


def _delegated(reply: Reply, ends: datetime) -> Signing:
    try:
        found = ET.fromstring(reply.body)  # noqa: S314 - whom we asked says it
        names = ("Oid", "Tid", "Start", "Expiry", "Service", "Version")
        oid, tid, start, expiry, service, version = (found.findtext(f"Signed{name}") or "" for name in names)
        said = {"skoid": oid, "sktid": tid, "skt": start, "ske": expiry, "sks": service, "skv": version}
        key = base64.b64decode(found.findtext("Value") or "", validate=True)
    except (ET.ParseError, ValueError):
        key, said = b"", {}
    if not key or not all(said.values()):
        raise EngineError("Azure Blob Storage answers with something that is no key for lending")
    return Signing(key=key, names=(*said.values(), "", "", ""), said=said, ends=ends)
