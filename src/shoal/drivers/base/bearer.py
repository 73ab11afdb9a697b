"""Tokens that a cloud lends a process for an hour (RFC 6750): asked for once, and again before they end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from shoal.drivers.base.rest import Reply
from shoal.errors import EngineError, Unavailable

MARGIN = 225.0
"""Seconds before its end from which on another one is asked for. Google's metadata server has no other before that."""

LAST = 30.0
"""Seconds before its end from which on a token is not used, whatever becomes of another one."""

PAUSE = 10.0
"""Seconds for which nobody else is asked, when no other token came and there is one that is still good."""

_BUSY = frozenset({408, 429})


class Token(NamedTuple):
    """A right for a time."""

    text: str
    ends: float
    """Seconds since 1970."""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Token(***)"


class Bearer:
    """Has a token that is good; those who want one at once ask together."""

    def __init__(self, lend: Callable[[], Awaitable[Token]]) -> None:
        self._lend = lend
        self._token = Token("", 0.0)
        self._asking: asyncio.Future[Token] | None = None
        self._again = 0.0

    async def headers(self) -> dict[str, str]:
        """Return the header that says who we are."""
        now = time.time()
        if self._token.ends - MARGIN <= now and self._again <= now:
            await self._renew()
        return {"authorization": f"Bearer {self._token.text}"}

    def forget(self) -> None:
        """Let go of a token that was refused."""
        self._token, self._again = Token("", 0.0), 0.0

    async def _renew(self) -> None:
        """Ask for another token; without an answer the present one does while it is good."""
        asking = self._asking
        if asking is None:
            asking = self._asking = asyncio.ensure_future(self._lend())
            asking.add_done_callback(self._heard)
        try:
            self._token = await asyncio.shield(asking)
        except EngineError:
            if self._token.ends - LAST <= time.time():
                raise
            self._again = min(time.time() + PAUSE, self._token.ends - LAST)

    def _heard(self, asking: "asyncio.Future[Token]") -> None:
        self._asking = None
        if not asking.cancelled():
            asking.exception()  # told to who waits, if anybody still does


class _Lent(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int | str = ""
    """Seconds."""
    expires_on: int | str = ""
    """Seconds since 1970, where Azure's App Service lends it."""


def lent(reply: Reply, whom: str) -> Token:
    """Read an answer of a token endpoint (RFC 6749, section 5.1).

    Args:
        reply: What was answered.
        whom: Who was asked, for messages.

    Raises:
        Unavailable: It has too much to do, or fails.
        EngineError: It refuses.
    """
    if reply.status >= 500 or reply.status in _BUSY:
        raise Unavailable(f"{whom} lends no token at the moment: it answers {reply.status}")
    if reply.status != 200:
        raise EngineError(f"{whom} refuses a token: {reply.status} {_said(reply)}", hint="look at who this process is")
    try:
        found = msgspec.convert(reply.read(), _Lent)
        ends = float(found.expires_on) if found.expires_on else time.time() + float(found.expires_in)
    except (msgspec.ValidationError, ValueError):
        raise EngineError(f"{whom} answers with something that is no token") from None
    return Token(found.access_token, ends)


def _said(reply: Reply) -> str:
    found = reply.read()
    return str(found.get("error_description") or found.get("error") or "") if isinstance(found, dict) else ""
