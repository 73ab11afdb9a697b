"""Keys and tokens: JSON Web Tokens (RFC 7519); each issuer's algorithms are pinned, our own is ES256 (RFC 7518)."""

import base64
import json
import math
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, Key, KeyParameters, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ALGORITHM = "ES256"
"""The one algorithm that is signed with here."""

LEEWAY = 60
"""Seconds by which clocks may differ; the gateway's proxy uses the same figure."""

KEY_PREFIX = "shoal_"
"""How consumers' keys begin, so that scanners for lost secrets know them."""

LONGEST = 16 * 1024
"""Characters of a token."""

_PART = re.compile(r"[A-Za-z0-9_-]+")
_SUSPECT = frozenset({"crit", "b64", "zip", "enc", "jku", "jwk", "x5u", "x5c"})
_TYPES = frozenset({"jwt", "at+jwt"})
_KINDS = {"RS256": ("RSA", ""), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
_CLASSES: dict[str, type[Key]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_TAKEN = frozenset({"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"})
"""Parts of a published key that count; others, and those of private keys, are left out."""


class _Registry(JWSRegistry):
    """Algorithms by name; those of ours are pinned, none is warned of (issuers write EdDSA, which RFC 9864 renames)."""

    def __init__(self, algorithms: Sequence[str]) -> None:
        super().__init__(algorithms=list(algorithms), strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        """Find an algorithm among those that are allowed."""
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


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
    """Verifies the tokens of one issuer against its key set, by the algorithms that this issuer may use."""

    def __init__(
        self,
        jwks: bytes,
        *,
        issuer: str,
        audience: str | Sequence[str],
        algorithms: Sequence[str] = (ALGORITHM,),
        audience_claim: str = "aud",
        subject: str = "sub",
    ) -> None:
        self._keys = _usable(jwks, algorithms)
        self._issuer, self._algorithms = issuer, tuple(algorithms)
        self._registry = _Registry(algorithms)
        self._audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        self._audience_claim, self._subject = audience_claim, subject

    def knows(self, kid: object) -> bool:
        """Tell whether a key of this name is there; a token that names none may be of any."""
        return kid is None or any(key.kid == kid for key in self._keys.keys)

    def verify(self, token: str, now: float) -> dict[str, Any]:
        """Return the claims of a token that is valid at `now` (seconds since 1970), or raise `Refused`."""
        header = peek(token)[0]
        if header.get("alg") not in self._algorithms:
            raise Refused("token is signed in a way that its issuer does not use")
        try:
            claims = jwt.decode(token, self._keys, registry=self._registry).claims
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise Refused("token is not acceptable") from error
        self._check(claims, now)
        return claims

    def _check(self, claims: dict[str, Any], now: float) -> None:
        audience = claims.get(self._audience_claim)
        if claims.get("iss") != self._issuer:
            raise Refused("token is signed by another issuer")
        if not any(one in self._audiences for one in (audience if isinstance(audience, list) else [audience])):
            raise Refused("token is meant for another audience")
        expires, begins = claims.get("exp"), claims.get("nbf", 0)
        if not _is_time(expires) or not _is_time(begins):
            raise Refused("token lacks an expiry, or its times are no numbers")
        if not isinstance(claims.get(self._subject), str) or not claims[self._subject]:
            raise Refused("token lacks a subject")
        if expires + LEEWAY < now:
            raise Refused("token has expired")
        if begins - LEEWAY > now:
            raise Refused("token is not valid yet")


def peek(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read header and claims of a token without believing them, or raise `Refused`.

    What could mean one thing to the gateway and another to a service is refused: names said twice, and
    headers that bring a key along or change how the token is to be read (RFC 7515, 4.1; RFC 7797).
    """
    parts = token.split(".")
    if len(parts) != 3 or len(token) > LONGEST or not all(map(_PART.fullmatch, parts)):
        raise Refused("token is not of the form HEADER.CLAIMS.SIGNATURE")
    header, claims, _ = _object(parts[0]), _object(parts[1]), _raw(parts[2])
    kid = header.get("kid")
    if not _SUSPECT.isdisjoint(header) or not (kid is None or isinstance(kid, str)):
        raise Refused("token asks to be read in a way that is not known here")
    if str(header.get("typ", "JWT")).lower().removeprefix("application/") not in _TYPES:
        raise Refused("token is of a kind that does not give access")
    return header, claims


def _raw(part: str) -> bytes:
    """Decode base64url that is spelled as it must be: with bits left over, one value would have several spellings."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise Refused("token is not acceptable") from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part.encode():
        raise Refused("token is not acceptable")
    return raw


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_raw(part).decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Refused("token is not acceptable") from error
    if not isinstance(found, dict):
        raise Refused("token is not acceptable")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is said twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _usable(jwks: bytes, algorithms: Sequence[str]) -> KeySet:
    """Keep the keys that can verify what is accepted; a key set may hold others, also of kinds unknown here."""
    kinds = {_KINDS[algorithm] for algorithm in algorithms}
    document = msgspec.json.decode(jwks, type=dict[str, Any])
    published = msgspec.convert(document.get("keys"), list[Any])
    keys = [k for k in published if isinstance(k, dict) and _fits(k, kinds, algorithms)]
    try:
        return KeySet([_public(key) for key in keys])
    except (JoseError, KeyError, TypeError) as error:
        raise ValueError(f"a key is malformed: {error}") from error


def _fits(key: dict[str, Any], kinds: set[tuple[str, str]], algorithms: Sequence[str]) -> bool:
    kind = (key.get("kty"), key.get("crv", ""))
    return kind in kinds and key.get("use", "sig") == "sig" and key.get("alg", algorithms[0]) in algorithms


def _public(key: dict[str, Any]) -> Key:
    kind = _CLASSES[key["kty"]]
    return kind.import_key({name: value for name, value in key.items() if name in _TAKEN})


def make_key(consumer: str, issuer: str, *, expires: int) -> tuple[str, dict[str, Any]]:
    """Make a key for a consumer, and the public key (a JWK) that verifies it.

    A key is a token that is signed once, by a private key that nobody keeps: what is stored can verify it and cannot
    make another.
    """
    pair = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM, "kid": secrets.token_hex(6)})
    claims = {"iss": issuer, "aud": issuer, "sub": consumer, "exp": expires}
    token = jwt.encode({"alg": ALGORITHM, "kid": pair.kid}, claims, pair, algorithms=[ALGORITHM])
    return KEY_PREFIX + token, pair.as_dict(private=False)


def nobodys_key() -> dict[str, Any]:
    """Make a public key to which there is no private one: Envoy refuses a key set without keys."""
    pair = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM, "kid": "nobody"})
    return dict(pair.as_dict(private=False))


def can_verify(jwks: bytes, algorithms: Sequence[str]) -> bool:
    """Tell whether a key set holds a key for one of the algorithms."""
    try:
        return bool(_usable(jwks, algorithms).keys)
    except (ValueError, msgspec.MsgspecError):
        return False


class Foreign:
    """An issuer outside the system, made up for tests."""

    def __init__(self, algorithm: str) -> None:
        parameters: KeyParameters = {"use": "sig", "alg": algorithm, "kid": secrets.token_hex(4)}
        kinds: dict[str, Callable[[], Key]] = {
            "RS256": lambda: RSAKey.generate_key(2048, parameters),
            "ES256": lambda: ECKey.generate_key("P-256", parameters),
            "EdDSA": lambda: OKPKey.generate_key("Ed25519", parameters),
        }
        self._algorithm, self._key = algorithm, kinds[algorithm]()

    @property
    def public(self) -> dict[str, Any]:
        """What verifies its tokens, a JWK."""
        return dict(self._key.as_dict(private=False))

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Sign exactly these claims."""
        header = {"alg": self._algorithm, "kid": self._key.kid, "typ": "JWT"}
        return jwt.encode(header, dict(claims), self._key, registry=_Registry([self._algorithm]))


def generate() -> tuple[bytes, bytes]:
    """Make a key pair: the private key as a JWK, and the key set to publish, both JSON."""
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    public = {"keys": [key.as_dict(private=False)]}
    return msgspec.json.encode(key.as_dict(private=True)), msgspec.json.encode(public)
