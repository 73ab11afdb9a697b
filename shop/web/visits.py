"""Who looks around, by a cookie that no script can read."""

import uuid

import msgspec

from shoal import Sessions

KEPT = 7 * 86_400
"""Seconds after which a visit and its cart are forgotten when nobody comes back."""

FIRST = 3600
"""The same for one that has never come back yet: robots that send no cookie are not to fill the memory."""

_NAME = "visit"


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a visitor."""

    cart: str
    """Under which his cart is kept; it stays when the visit's id is another."""
    customer: str = ""
    """Who signed in, if somebody did."""


def id_of(cookies: str) -> str:
    """Find the id of a visit among the cookies that a browser sent; empty when there is none."""
    for one in cookies.split(";"):  # others may hold what the standard library takes for no cookie at all
        name, _, value = one.strip().partition("=")
        if name == _NAME:
            return value if value.isascii() else ""
    return ""


def cookie(id_: str, *, lasting: int = KEPT) -> dict[str, str]:
    """Return the header that lets a browser keep an id: for pages of this site only, and for no script."""
    return {"Set-Cookie": f"{_NAME}={id_}; Path=/web; Max-Age={lasting}; HttpOnly; Secure; SameSite=Lax"}


async def known(cookies: str, sessions: Sessions) -> Visit | None:
    """Remember a visitor; None when he has not been here, or long ago."""
    id_ = id_of(cookies)
    return await sessions.find(Visit, id_, ttl=KEPT) if id_ else None


async def entered(cookies: str, sessions: Sessions) -> tuple[str, Visit, int]:
    """Remember a visitor, or begin to; with the id of the visit, and for how many seconds it is kept."""
    visit = await known(cookies, sessions)
    if visit is not None:
        return id_of(cookies), visit, KEPT
    visit = Visit(cart=uuid.uuid4().hex)
    return await sessions.begin(visit, ttl=FIRST), visit, FIRST


def following(visit: Visit, customer: str) -> Visit:
    """Return the visit as which a customer goes on: with the cart, unless it is another customer's."""
    cart = visit.cart if visit.customer in {"", customer} else uuid.uuid4().hex
    return Visit(cart=cart, customer=customer)
