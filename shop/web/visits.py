"""Who looks around, by a cookie that no script can read."""

import uuid
from http.cookies import CookieError, SimpleCookie

import msgspec

from shoal import Sessions

KEPT = 7 * 86_400
"""Seconds after which a visit and its cart are forgotten when nobody comes back."""

_NAME = "visit"


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a visitor."""

    cart: str
    """Under which his cart is kept; it stays when the visit's id is another."""
    customer: str = ""
    """Who signed in, if somebody did."""


def id_of(cookies: str) -> str:
    """Find the id of a visit among the cookies that a browser sent; empty when there is none."""
    try:
        found = SimpleCookie(cookies).get(_NAME)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def cookie(id_: str, *, lasting: int = KEPT) -> dict[str, str]:
    """Return the header that lets a browser keep an id: for pages of this site only, and for no script."""
    return {"Set-Cookie": f"{_NAME}={id_}; Path=/web; Max-Age={lasting}; HttpOnly; Secure; SameSite=Lax"}


async def known(cookies: str, sessions: Sessions) -> Visit | None:
    """Remember a visitor; None when he has not been here, or long ago."""
    id_ = id_of(cookies)
    return await sessions.find(Visit, id_, ttl=KEPT) if id_ else None


async def entered(cookies: str, sessions: Sessions) -> tuple[str, Visit]:
    """Remember a visitor, or begin to; with the id of the visit."""
    visit = await known(cookies, sessions)
    if visit is not None:
        return id_of(cookies), visit
    visit = Visit(cart=uuid.uuid4().hex)
    return await sessions.begin(visit, ttl=KEPT), visit
