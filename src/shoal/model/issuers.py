"""Issuers of tokens outside the system: whom to believe, by which keys, and what their claims mean here. Pure data."""

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from shoal.errors import DeclarationError
from shoal.model.data import Data
from shoal.model.names import check_label

Algorithm = Literal["RS256", "ES256", "EdDSA"]
"""Signatures that the gateway and the services both verify (RFC 7518, RFC 8037)."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class OpenId(Data, frozen=True, kw_only=True):
    """An issuer of tokens outside the system, such as an OpenID Connect provider.

    Its subjects are known here as ``NAME:SUBJECT``, since two issuers may call different people the same.
    """

    name: str
    """What it is called here, a DNS label; the first part of its principals' subjects."""
    issuer: str
    """Required ``iss`` claim, to the letter."""
    audiences: tuple[str, ...]
    """The token must be meant for one of these."""
    keys: str
    """Its key set (JWKS, RFC 7517): an ``https`` URL, or a file, relative to the project's folder."""
    algorithms: tuple[Algorithm, ...] = ("RS256",)
    """Signatures that are accepted; a token cannot choose another."""
    audience_claim: str = "aud"
    """Where it says whom a token is meant for."""
    subject: str = "sub"
    """Claim that becomes the principal's subject."""
    roles: tuple[str, ...] = ()
    """Claim that becomes the principal's roles, by its path; empty believes no role of it."""
    scopes: tuple[str, ...] = ("scope",)
    """Claim that becomes the principal's scopes, by its path; empty believes no scope of it."""
    required: Mapping[str, str] = {}
    """Claims that every token must have, with these values."""
    refresh: float = 300.0
    """Seconds after which its keys are fetched again."""

    def __post_init__(self) -> None:
        """Refuse an issuer that could not be verified, or that anybody could be."""
        check_label("issuer", self.name)
        if not self.issuer or not self.audiences or not all(self.audiences):
            raise DeclarationError(
                f"issuer {self.name} says neither who signs nor for whom",
                hint="give issuer= and audiences=: tokens for other applications would be accepted",
            )
        if not self.algorithms or not self.audience_claim or not self.subject:
            raise DeclarationError(f"issuer {self.name} lacks an algorithm or a claim", hint="leave them out")
        if not 1 <= self.refresh <= 86_400:
            raise DeclarationError(f"refresh={self.refresh:g} s of issuer {self.name}", hint="use 1 to 86400 s")
        _check_keys(self)

    @property
    def remote(self) -> bool:
        """Whether its keys come from a URL."""
        return "://" in self.keys

    @property
    def key_host(self) -> tuple[str, int]:
        """Host and port from which its keys come, if they do."""
        url = urlsplit(self.keys)
        return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def placed(issuer: OpenId, folder: str) -> OpenId:
    """Say in full where its keys lie, if they are a file below `folder`."""
    if issuer.remote or issuer.keys.startswith("/"):
        return issuer
    return msgspec.structs.replace(issuer, keys=f"{folder}/{issuer.keys}")


def _check_keys(issuer: OpenId) -> None:
    """Refuse keys that somebody on the way could replace, and files that are not the project's."""
    if not issuer.remote:
        if not issuer.keys or ".." in issuer.keys.split("/"):
            raise DeclarationError(
                f"the keys of issuer {issuer.name} cannot come from {issuer.keys!r}",
                hint="give a path below the project's folder, a full path, or a URL",
            )
        return
    url = urlsplit(issuer.keys)
    private = url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)
    if private and url.hostname and not url.username:
        return
    raise DeclarationError(
        f"the keys of issuer {issuer.name} would come from {issuer.keys!r}", hint="use https: who sends them signs"
    )


class Consumer(Data, frozen=True, kw_only=True):
    """A program outside the system that calls with a key of its own (``X-API-Key``).

    Keys are made by ``shoal keys create``. A key opens the endpoints that ask for a role or scope which the consumer
    has, or for the consumer by name; never those that merely ask for somebody who is signed in.
    """

    name: str
    """A DNS label; the principal's subject is ``consumer:NAME``."""
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a name that could be mistaken."""
        check_label("consumer", self.name)

    @property
    def subject(self) -> str:
        """What its principal is called."""
        return f"{CONSUMERS}:{self.name}"


CONSUMERS = "consumer"
"""Name of the issuer of consumers' keys."""


def key_issuer(system: str) -> str:
    """Name who signs the keys of a system's consumers, and for whom (``iss`` and ``aud``)."""
    return f"urn:shoal:keys:{system}"


def _label(text: str) -> str:
    """Check what becomes a part of a URL."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text):
        raise DeclarationError(f"{text!r} cannot be a part of an issuer's address", hint="give the bare identifier")
    return text


def Cognito(region: str, pool: str, client: str, *, name: str = "cognito") -> OpenId:  # noqa: N802 - makes what it is named after
    """Believe the access tokens of one client of an Amazon Cognito user pool; its groups become roles.

    Access tokens name the client in ``client_id``, and have no ``aud``.
    """
    issuer = f"https://cognito-idp.{_label(region)}.amazonaws.com/{_label(pool)}"
    return OpenId(
        name=name,
        issuer=issuer,
        audiences=(client,),
        audience_claim="client_id",
        keys=f"{issuer}/.well-known/jwks.json",
        required={"token_use": "access"},
        roles=("cognito:groups",),
    )


def Entra(tenant: str, audience: str, *, name: str = "entra") -> OpenId:  # noqa: N802 - makes what it is named after
    """Believe the version 2.0 access tokens of one Microsoft Entra tenant; application roles become roles.

    Args:
        tenant: The tenant's id; ``common`` and its like would let every tenant in.
        audience: Client id of the API.
        name: What the issuer is called here.
    """
    if tenant in ("common", "organizations", "consumers"):
        raise DeclarationError(f"Entra({tenant!r}) names no tenant", hint="give the id of yours")
    base = f"https://login.microsoftonline.com/{_label(tenant)}"
    return OpenId(
        name=name,
        issuer=f"{base}/v2.0",
        audiences=(audience,),
        keys=f"{base}/discovery/v2.0/keys",
        required={"tid": tenant, "ver": "2.0"},
        subject="oid",
        roles=("roles",),
        scopes=("scp",),
    )


def Google(client: str, *, name: str = "google") -> OpenId:  # noqa: N802 - makes what it is named after
    """Believe the ID tokens that Google issues for one client; they carry neither roles nor scopes."""
    return OpenId(
        name=name,
        issuer="https://accounts.google.com",
        audiences=(client,),
        keys="https://www.googleapis.com/oauth2/v3/certs",
        scopes=(),
    )


def Firebase(project: str, *, name: str = "firebase") -> OpenId:  # noqa: N802 - makes what it is named after
    """Believe the ID tokens of one Firebase project; the custom claim ``roles`` becomes roles."""
    return OpenId(
        name=name,
        issuer=f"https://securetoken.google.com/{_label(project)}",
        audiences=(project,),
        keys="https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
        roles=("roles",),
        scopes=(),
    )
