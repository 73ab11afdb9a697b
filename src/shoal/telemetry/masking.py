"""Keep secrets out of what is told: known ones, credentials in headers and passwords in addresses."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

from shoal.telemetry.wire import CUT

HIDDEN = "***"

SHORTEST = 6
"""Characters of a known secret; shorter ones would be found in every other word."""

GENERATED = 12
"""Characters of a known password of an address; shorter ones are hidden in addresses only, being words at times."""

_HARMLESS = 4096
"""Parts that are remembered."""

_NAMES = re.compile(
    r"(?i)(?:^|[._-])(?:authorization|password|passwd|secret|token|api[_-]?key|cookie|credentials?|private[_-]?key)s?$"
)
"""Keys whose text is never told."""

_SIGNS = (b"://", b"earer ", b"asic ", b"EARER ", b"ASIC ", b"eyJ", CUT.encode())
_URL = re.compile(r"(://[^\s:/@]*:)[^\s@/]+(?=@)")
_SCHEME = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{4,}")
_TOKEN = re.compile(r"eyJ[\w-]{6,}\.[\w-]+\.[\w-]*")


class Mask:
    """Hides secrets in texts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: list[str] = []
        self._signs: tuple[bytes, ...] = _SIGNS
        self.harmless: set[bytes] = set()
        """Parts that come again and again, and hide nothing of what is known so far."""
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Hide a secret from now on, also as JSON and addresses spell it."""
        if len(secret) < SHORTEST:
            return
        spelled = {
            secret,
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            quote(secret, safe=""),
        }
        self._known = sorted({*self._known, *spelled}, key=len, reverse=True)
        self._signs = (*_SIGNS, *(known.encode("utf-8", "replace") for known in self._known))
        self.harmless = set()

    def learn_address(self, address: str) -> None:
        """Hide the password of an address from now on."""
        try:
            password = urlsplit(address).password
        except ValueError:
            return
        if password and len(password) >= GENERATED:
            self.learn(unquote(password))

    def suspects(self, data: bytes) -> bool:
        """Tell whether something in it may have to be hidden: a quick look, which is wrong now and then."""
        for sign in self._signs:  # noqa: SIM110 - `any` with a generator takes three times as long
            if sign in data:
                return True
        return False

    def text(self, content: str) -> str:
        """Hide what must be hidden in a text."""
        for known in self._known:
            if known in content:
                content = content.replace(known, HIDDEN)
        if "@" in content:
            content = _URL.sub(rf"\1{HIDDEN}", content)
        return _TOKEN.sub(HIDDEN, _SCHEME.sub(rf"\1 {HIDDEN}", content))

    def hide(self, key: str, content: str) -> str:
        """Hide the text of a key that names a secret, and what must be hidden in others."""
        return HIDDEN if key and is_secret(key) else self.text(content)


@lru_cache(4096)
def is_secret(key: str) -> bool:
    """Tell whether a key names something that is never told."""
    return _NAMES.search(key) is not None


class Look:
    """A look at what was written of one batch; parts that come again and again are looked at once."""

    __slots__ = ("_again", "_mask", "harmless", "parts")

    def __init__(self, mask: Mask) -> None:
        self._mask, self._again = mask, list[bytes]()
        self.harmless = mask.harmless
        """Parts that need no other look."""
        self.parts: list[bytes] = []
        """What comes once."""

    def again(self, part: bytes) -> None:
        """Look at a part that will come again."""
        self._again.append(part)

    def suspects(self) -> bool:
        """Tell whether something in the batch may have to be hidden."""
        if self._mask.suspects(b"\n".join((*self.parts, *self._again))):
            return True
        if self._again and self._mask.harmless is self.harmless:
            if len(self.harmless) > _HARMLESS:
                self.harmless.clear()
            self.harmless.update(self._again)
        return False


MASK = Mask()
"""That of this process: its log and everything that it exports."""


def beginning(content: str, most: int) -> str:
    """Cut a text to so many characters; a secret that stands across the end is hidden first."""
    return content if len(content) <= most else MASK.text(content)[:most]


def end(content: str, most: int) -> str:
    """Keep the last characters of a text; a secret that stands across their beginning is hidden first."""
    return content if len(content) <= most else MASK.text(content)[-most:]
