"""Keys and tokens: JSON Web Tokens (RFC 7519) signed with ES256 (RFC 7518); the algorithm is pinned."""

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

ALGORITHM = "ES256"
"""The one algorithm that is signed with and accepted."""

LEEWAY = 60
"""Seconds by which clocks may differ; the gateway's proxy uses the same figure."""


class Refused(Exception):
    """A token is malformed, forged, expired or meant for another audience."""


class Signer:
    """Signs tokens with one private key."""

    def __init__(self, private_key: bytes, *, issuer: str, audience: str) -> None:
        self._key = ECKey.import_key(msgspec.json.decode(private_key))
        self._header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": "JWT"}
        self._issuer, self._audience = issuer, audience

    def sign(self, subject: str, now: float, lifetime: float, claims: Mapping[str, Any]) -> str:
        """Sign `claims` for `subject`, valid from `now` (seconds since 1970) for `lifetime` seconds."""
        full = {
            **claims,
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "iat": int(now),
            "exp": int(now + lifetime),
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode(self._header, full, self._key, algorithms=[ALGORITHM])


class Verifier:
    """Verifies tokens against a key set."""

    def __init__(self, jwks: bytes, *, issuer: str, audience: str) -> None:
        self._keys = KeySet.import_key_set(msgspec.json.decode(jwks))
        self._issuer, self._audience = issuer, audience

    def verify(self, token: str, now: float) -> dict[str, Any]:
        """Return the claims of a token that is valid at `now` (seconds since 1970), or raise `Refused`."""
        try:
            claims = jwt.decode(token, self._keys, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise Refused(f"token is not acceptable: {error}") from error
        self._check(claims, now)
        return claims

    def _check(self, claims: dict[str, Any], now: float) -> None:
        audience = claims.get("aud")
        if claims.get("iss") != self._issuer:
            raise Refused("token is signed by another issuer")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise Refused("token is meant for another audience")
        expires, begins = claims.get("exp"), claims.get("nbf", 0)
        if not isinstance(expires, int | float) or not isinstance(begins, int | float):
            raise Refused("token lacks an expiry, or its times are no numbers")
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise Refused("token lacks a subject")
        if expires + LEEWAY < now:
            raise Refused("token has expired")
        if begins - LEEWAY > now:
            raise Refused("token is not valid yet")


def generate() -> tuple[bytes, bytes]:
    """Make a key pair: the private key as a JWK, and the key set to publish, both JSON."""
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    public = {"keys": [key.as_dict(private=False)]}
    return msgspec.json.encode(key.as_dict(private=True)), msgspec.json.encode(public)
