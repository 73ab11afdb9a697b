"""Links that turn one kind of mail off for one person, signed: whoever has the mail has the right. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import msgspec

from shoal import Secret, ShoalError
from shop.notifications.preferences import OPTIONAL, Kind

# shoal: ignore[SH403] it is for laptops only: the service refuses to start with it anywhere else
LAPTOP_KEY = Secret("for a laptop only: set NOTIFICATIONS__UNSUBSCRIBE_KEY")
"""Known to everyone, so that it signs for nobody but this machine."""

PATH = "/notifications/unsubscribe"

_OWN = ("localhost", "127.0.0.1", "::1")
_PURPOSE = b"shop.notifications.unsubscribe.1\0"


class Leaving(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Who wants no more of what."""

    user_id: str
    kind: Kind


class Links:
    """Makes and reads the links.

    Args:
        base: Where the gateway is for those who get mail, as ``https://api.shop.example``.
        site: Where the shop's own pages are; the one at ``/unsubscribe`` posts the token when somebody says so. Merely
            opening a link must turn nothing off, since programs open every link in a mail to look what is behind it.
        keys: The first one signs; the others are of before, and still honoured.

    Raises:
        ShoalError: Links would leave this machine without TLS, or signed with the key that everyone knows.
    """

    def __init__(self, base: str, site: str, keys: Sequence[Secret]) -> None:
        parts = urlsplit(base)
        if parts.hostname not in _OWN and (parts.scheme != "https" or LAPTOP_KEY in keys):
            raise ShoalError(
                f"links to unsubscribe would lead to {base} and could be read or forged by anyone",
                hint="set NOTIFICATIONS__PUBLIC_URL to an https:// address, and NOTIFICATIONS__UNSUBSCRIBE_KEY",
            )
        self._base, self._site = base.rstrip("/"), site.rstrip("/")
        self._keys = [key.reveal().encode() for key in keys if key.reveal()]
        if not self._keys:
            raise ShoalError("links to unsubscribe cannot be signed", hint="set NOTIFICATIONS__UNSUBSCRIBE_KEY")

    def link(self, user_id: str, kind: Kind) -> str:
        """Write the address that a single POST is enough for; empty for mails that must be sent."""
        return f"{self._base}{PATH}?token={quote(self.token(user_id, kind))}" if kind in OPTIONAL else ""

    def page(self, user_id: str, kind: Kind) -> str:
        """Write the address of the page for people; empty likewise."""
        return f"{self._site}/unsubscribe?token={quote(self.token(user_id, kind))}" if kind in OPTIONAL else ""

    def token(self, user_id: str, kind: Kind) -> str:
        """Sign who leaves what."""
        said = _written(msgspec.json.encode(Leaving(user_id=user_id, kind=kind)))
        return f"{said}.{_signature(self._keys[0], said)}"

    def read(self, token: str) -> Leaving | None:
        """Return what a token says; None when nobody here signed it."""
        said, _, signature = token.partition(".")
        if not any(hmac.compare_digest(_signature(key, said).encode(), signature.encode()) for key in self._keys):
            return None
        try:
            return msgspec.json.decode(_bytes(said), type=Leaving)
        except msgspec.MsgspecError:  # of a kind that there is no more
            return None


def _signature(key: bytes, said: str) -> str:
    return _written(hmac.new(key, _PURPOSE + said.encode(), hashlib.sha256).digest())


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
