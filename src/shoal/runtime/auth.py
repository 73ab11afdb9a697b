"""Verify the bearer token of a request, again, after the gateway did."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shoal.errors import Problem
from shoal.model.service import Access
from shoal.service.context import Principal
from shoal.tokens import Refused, Verifier

_CACHE_LIMIT = 10_000

_LOOK = 5.0
"""Seconds for which a withdrawn key may still be believed."""


class Authenticator:
    """Turns ``Authorization`` headers into principals; verified tokens are remembered until they expire."""

    def __init__(self, jwks: str, issuer: str, audience: str, now: Callable[[], float] = time.time) -> None:
        self._file = Path(jwks)
        self._issuer, self._audience, self._now = issuer, audience, now
        self._changed = 0.0
        self._look_again = 0.0
        self._known: dict[bytes, tuple[float, Principal]] = {}
        self._load()

    def authenticate(self, header: bytes | None) -> Principal:
        """Return the principal of a bearer token, or raise a 401 `Problem`."""
        if header is None:
            raise _unauthenticated("the request carries no token")
        now = self._now()
        if now >= self._look_again:
            self._look_again = now + _LOOK
            if self._file.stat().st_mtime != self._changed:
                self._load()
        known = self._known.get(header)
        if known is not None and known[0] > now:
            return known[1]
        return self._verify(header)

    def _verify(self, header: bytes) -> Principal:
        kind, _, token = header.partition(b" ")
        if kind.lower() != b"bearer":
            raise _unauthenticated("the Authorization header is not of the form 'Bearer TOKEN'")
        try:
            claims = self._try(token.strip().decode("ascii"))
        except (Refused, UnicodeDecodeError) as error:
            raise _unauthenticated(str(error)) from error
        principal = Principal(
            subject=claims["sub"],
            roles=_texts(claims.get("roles")),
            scopes=_texts(claims.get("scope", "")),
            claims=claims,
        )
        if len(self._known) >= _CACHE_LIMIT:
            self._known.clear()
        self._known[header] = (float(claims["exp"]), principal)
        return principal

    def _try(self, token: str) -> dict[str, Any]:
        try:
            return self._verifier.verify(token, self._now())
        except Refused:
            if self._file.stat().st_mtime == self._changed:
                raise
        self._load()
        return self._verifier.verify(token, self._now())

    def _load(self) -> None:
        """Read the key set; a rotated one is noticed by its time of change."""
        self._changed = self._file.stat().st_mtime
        self._verifier = Verifier(self._file.read_bytes(), issuer=self._issuer, audience=self._audience)
        self._known.clear()


def authorize(principal: Principal, access: Access) -> None:
    """Check roles and scopes, or raise a 403 `Problem`."""
    if access.roles and principal.roles.isdisjoint(access.roles):
        raise Problem(403, "forbidden", f"one of these roles is needed: {', '.join(access.roles)}")
    if not principal.scopes.issuperset(access.scopes):
        raise Problem(403, "forbidden", f"these scopes are needed: {', '.join(access.scopes)}")


def _unauthenticated(detail: str) -> Problem:
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})


def _texts(value: object) -> frozenset[str]:
    """Read a list, or words parted by spaces as in OAuth's ``scope`` (RFC 8693, 4.2)."""
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(v for v in value if isinstance(v, str)) if isinstance(value, list) else frozenset()
