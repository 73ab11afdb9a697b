"""Verify the token or key of a request, again, after the gateway did."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from shoal.errors import Problem, SettingsError, Unavailable
from shoal.model.access import Access
from shoal.model.claims import as_texts, holds
from shoal.model.issuers import CONSUMERS, Consumer, OpenId, key_issuer
from shoal.runtime.config import ServiceConfig
from shoal.runtime.keysets import Fetch, FileKeys, Keys, UrlKeys
from shoal.service.context import Principal
from shoal.tokens import KEY_PREFIX, Refused, Verifier, peek

T = TypeVar("T")

KEY_HEADER = b"x-api-key"

_KEY = KEY_PREFIX.encode()

_CACHE_LIMIT = 10_000

_LOOK = 5.0
"""Seconds for which a withdrawn key may still be believed."""


class Believed(msgspec.Struct, frozen=True, kw_only=True):
    """Whose tokens are believed, and where the keys of each lie."""

    issuer: str = ""
    """The system's own; empty when it has none."""
    audience: str = ""
    jwks: str = ""
    """File of its keys."""
    issuers: tuple[OpenId, ...] = ()
    """Those outside; a file of keys by its full path."""
    consumers: tuple[Consumer, ...] = ()
    key_issuer: str = ""
    """Who signs consumers' keys."""
    key_set: str = ""
    """File of what verifies them."""


def believed_by(config: ServiceConfig) -> Believed | None:
    """Read whom a service believes; None when it knows nobody."""
    if not (config.jwks or config.issuers or config.key_set):
        return None
    return Believed(
        issuer=config.issuer,
        audience=config.audience,
        jwks=config.jwks,
        issuers=_listed(config.issuers, tuple[OpenId, ...]),
        consumers=_listed(config.consumers, tuple[Consumer, ...]),
        key_issuer=key_issuer(config.system),
        key_set=config.key_set,
    )


def _listed(text: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text or "[]", type=kind)
    except msgspec.MsgspecError as error:
        raise SettingsError(
            f"whom this service believes cannot be read: {error}",
            hint="`shoal run` sets SHOAL_ISSUERS and SHOAL_CONSUMERS",
        ) from error


class _Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """One issuer: its keys, and what its claims mean here."""

    name: str = ""
    keys: Keys
    principal: Callable[[dict[str, Any]], Principal]


class Authenticator:
    """Turns credentials into principals; verified ones are remembered until they expire."""

    def __init__(
        self,
        believed: Believed,
        fetch: Fetch,
        now: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now, self._ticks = now, ticks  # the second never goes back: it measures for how long keys are believed
        self._issuers = _issuers(believed, fetch)
        self._look_again = float("-inf")
        self._version = 0
        self._known: dict[bytes, tuple[float, Principal]] = {}

    async def authenticate(self, header: bytes | None, key: bytes | None = None) -> Principal:
        """Return the principal of an ``Authorization`` or an ``X-API-Key`` header, or raise a 401 `Problem`."""
        self._glance()
        if key is not None:
            if header is not None:
                raise _unauthenticated("the request carries a token and a key: send one of them")
            if not key.startswith(_KEY):
                raise _unauthenticated("a token is no key, and a key no token")
            header = b"Bearer " + key
        elif header is None:
            raise _unauthenticated("the request carries no token")
        now, known = self._now(), self._known.get(header)
        if known is not None and known[0] > now:
            return known[1]
        return await self._verify(header, now)

    def _glance(self) -> None:
        """Look after the keys, now and then."""
        ticks = self._ticks()
        if ticks >= self._look_again:
            self._look_again = ticks + _LOOK
            for issuer in self._issuers.values():
                issuer.keys.glance(ticks)
            self._forget()

    def _forget(self) -> None:
        """Believe no token of keys that are no longer in use."""
        version = sum(issuer.keys.version for issuer in self._issuers.values())
        if version != self._version:
            self._known.clear()
            self._version = version

    async def _verify(self, header: bytes, now: float) -> Principal:
        kind, _, token = header.partition(b" ")
        if kind.lower() != b"bearer":
            raise _unauthenticated("the Authorization header is not of the form 'Bearer TOKEN'")
        try:
            expires, principal = await self._read(token.strip().decode("ascii"), now)
        except (Refused, UnicodeDecodeError) as error:
            detail = str(error) if isinstance(error, Refused) else "token is not acceptable"
            raise _unauthenticated(detail) from error
        except Unavailable as error:
            raise Problem(503, "unavailable", error.message) from error
        if len(self._known) >= _CACHE_LIMIT:
            self._known.clear()
        self._known[header] = (expires, principal)
        return principal

    async def _read(self, token: str, now: float) -> tuple[float, Principal]:
        bare = token.removeprefix(KEY_PREFIX)
        protected, said = peek(bare)
        signer = said.get("iss")
        issuer = self._issuers.get(signer) if isinstance(signer, str) else None
        if issuer is None:
            raise Refused("token is signed by another issuer")
        if (issuer.name == CONSUMERS) != (bare != token):
            raise Refused("a token is no key, and a key no token")
        verifier = await issuer.keys.verifier(protected.get("kid"), self._ticks())
        self._forget()
        claims = verifier.verify(bare, now)
        return float(claims["exp"]), issuer.principal(claims)


def authorize(principal: Principal, access: Access) -> None:
    """Check what an endpoint asks of its caller, or raise a 403 `Problem`."""
    if principal.issuer == CONSUMERS and not (access.roles or access.scopes or access.consumers):
        raise Problem(403, "forbidden", "a key does not open this; sign in")
    if access.roles and principal.roles.isdisjoint(access.roles):
        raise Problem(403, "forbidden", f"one of these roles is needed: {', '.join(access.roles)}")
    if not principal.scopes.issuperset(access.scopes):
        raise Problem(403, "forbidden", f"these scopes are needed: {', '.join(access.scopes)}")
    for claim in access.claims:
        if not holds(principal.claims.get(claim.name), claim.values):
            raise Problem(403, "forbidden", f"the token's claim {claim.name!r} does not allow it")
    if access.consumers and principal.subject not in {f"{CONSUMERS}:{name}" for name in access.consumers}:
        raise Problem(403, "forbidden", "this is for certain consumers")


def _issuers(believed: Believed, fetch: Fetch) -> dict[str, _Issuer]:
    """Prepare every issuer, by what its tokens say in ``iss``."""
    found = {outside.issuer: _outside(outside, fetch) for outside in believed.issuers}
    if believed.jwks:
        make = functools.partial(Verifier, issuer=believed.issuer, audience=believed.audience)
        taken = (CONSUMERS, *(outside.name for outside in believed.issuers))
        found[believed.issuer] = _Issuer(
            keys=FileKeys(Path(believed.jwks), make), principal=functools.partial(_own, taken)
        )
    if believed.key_set:
        signer = believed.key_issuer
        make = functools.partial(Verifier, issuer=signer, audience=signer)
        known = {consumer.name: consumer for consumer in believed.consumers}
        found[signer] = _Issuer(
            name=CONSUMERS,
            keys=FileKeys(Path(believed.key_set), make),
            principal=functools.partial(_consumer, known),
        )
    return found


def _outside(issuer: OpenId, fetch: Fetch) -> _Issuer:
    make = functools.partial(
        Verifier,
        issuer=issuer.issuer,
        audience=issuer.audiences,
        algorithms=issuer.algorithms,
        audience_claim=issuer.audience_claim,
        subject=issuer.subject,
    )
    keys: Keys
    if issuer.remote:
        keys = UrlKeys(issuer.keys, make, refresh=issuer.refresh, fetch=fetch)
    else:
        keys = FileKeys(Path(issuer.keys), make)
    return _Issuer(name=issuer.name, keys=keys, principal=functools.partial(_stranger, issuer))


def _own(taken: tuple[str, ...], claims: dict[str, Any]) -> Principal:
    subject: str = claims["sub"]
    if subject.partition(":")[0] in taken and ":" in subject:
        raise Refused("token calls its subject as another issuer's would be called")
    return Principal(
        subject=subject,
        roles=frozenset(as_texts(claims.get("roles"))),
        scopes=frozenset(as_texts(claims.get("scope", ""))),
        claims=claims,
    )


def _stranger(issuer: OpenId, claims: dict[str, Any]) -> Principal:
    for name, value in issuer.required.items():
        if claims.get(name) != value:
            raise Refused("token is of a kind that does not give access")
    return Principal(
        subject=f"{issuer.name}:{claims[issuer.subject]}",
        roles=frozenset(as_texts(_at(claims, issuer.roles))),
        scopes=frozenset(as_texts(_at(claims, issuer.scopes))),
        claims=claims,
        issuer=issuer.name,
    )


def _consumer(known: Mapping[str, Consumer], claims: dict[str, Any]) -> Principal:
    consumer = known.get(claims["sub"])
    if consumer is None:
        raise Refused("key is of a consumer that is not known here")
    return Principal(
        subject=consumer.subject,
        roles=frozenset(consumer.roles),
        scopes=frozenset(consumer.scopes),
        claims=claims,
        issuer=CONSUMERS,
    )


def _at(claims: object, path: Sequence[str]) -> object:
    """Look up a claim by its path; nothing lies at an empty one."""
    if not path:
        return None
    for name in path:
        claims = claims.get(name) if isinstance(claims, dict) else None
    return claims


def _unauthenticated(detail: str) -> Problem:
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})
