"""URLs that lend one object to who has them, signed with a key that only the lender and the door know."""

import hashlib
import hmac
import time
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import msgspec

_SIGNATURE = "signature"


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a URL allows, to whoever has it."""

    method: str
    name: str
    until: int
    """Seconds since 1970 from which on it holds no more."""
    type: str = ""
    """Of what is written."""
    size: int = 0
    download: str = ""


class Refused(Exception):
    """Say why a URL opens nothing."""


class Signer:
    """Makes such URLs below one address, and reads them.

    Args:
        key: What they are signed with.
        at: How they begin, such as ``http://127.0.0.1:8333/products``.
        now: Seconds since 1970.
    """

    def __init__(self, key: str, at: str, now: Callable[[], float] = time.time) -> None:
        self._key, self._at, self._now = key.encode(), at.rstrip("/"), now

    def sign(self, method: str, name: str, seconds: int, **more: str | int) -> str:
        """Write a URL."""
        grant = msgspec.convert(
            {"method": method, "name": name, "until": int(self._now()) + seconds, **more}, Grant, strict=True
        )
        asked = {k: v for k, v in msgspec.to_builtins(grant).items() if k not in ("method", "name")}
        return f"{self._at}/{name}?{urlencode({**asked, _SIGNATURE: self._sum(grant)})}"

    def read(self, method: str, url: str) -> Grant:
        """Return what a URL, or its path and query, allows; raises `Refused`."""
        parts = urlsplit(url)
        begin = urlsplit(self._at).path + "/"
        asked = dict(parse_qsl(parts.query))
        signature = asked.pop(_SIGNATURE, "")
        try:
            name = unquote(parts.path.removeprefix(begin)) if parts.path.startswith(begin) else ""
            grant = msgspec.convert({**asked, "method": method, "name": name}, Grant, strict=False)
        except msgspec.ValidationError as error:
            raise Refused("this address is incomplete") from error
        if not hmac.compare_digest(self._sum(grant).encode(), signature.encode("utf-8", "replace")):
            raise Refused("this address was not signed here, or not for this")
        if grant.until <= self._now():
            raise Refused("the time of this address is over")
        return grant

    def _sum(self, grant: Grant) -> str:
        return hmac.new(self._key, msgspec.json.encode(msgspec.to_builtins(grant)), hashlib.sha256).hexdigest()
