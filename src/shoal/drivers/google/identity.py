"""Who this process is in Google Cloud: the service account of its machine or pod, or one whose key is in a file.

It is found as Google's own clients do ("Application Default Credentials"): by the file that
``GOOGLE_APPLICATION_CREDENTIALS`` names, else by the metadata server. Sources: "Using OAuth 2.0 for server to server
applications"; "Workload Identity Federation: credential configuration files"; "VM metadata: access tokens".
"""

import base64
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shoal.drivers.base.bearer import Bearer, Token, lent
from shoal.drivers.base.rest import Rest
from shoal.errors import EngineError

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""What a token is for: rights are given by IAM, not by scopes."""

FILE = "GOOGLE_APPLICATION_CREDENTIALS"

_FORM = {"content-type": "application/x-www-form-urlencoded"}
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_HOUR = 3600


class _Account(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="service_account"):
    """The key of a service account."""

    client_email: str
    private_key: str
    private_key_id: str
    token_uri: str


class _Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a token of another issuer lies; other sources are refused."""

    file: str
    format: Mapping[str, str] = {}


class _Federated(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="external_account"):
    """Somebody whom another issuer knows, and Google believes."""

    audience: str
    subject_token_type: str
    token_url: str
    credential_source: _Source
    service_account_impersonation_url: str = ""


def bearer(rest: Rest, environ: Mapping[str, str] | None = None) -> Bearer:
    """Return what has tokens for Google's interfaces."""
    found = os.environ if environ is None else environ

    async def lend() -> Token:
        return await _lend(rest, found)

    return Bearer(lend)


async def _lend(rest: Rest, environ: Mapping[str, str]) -> Token:
    if not environ.get(FILE):
        host = environ.get("GCE_METADATA_HOST") or "metadata.google.internal"
        url = f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token"
        return lent(await rest.ask("GET", url, {"metadata-flavor": "Google"}), "Google's metadata server")
    who = _read(environ[FILE])
    return await (_account(rest, who) if isinstance(who, _Account) else _federated(rest, who))


def _read(file: str) -> _Account | _Federated:
    try:
        return msgspec.json.decode(Path(file).read_bytes(), type=_Account | _Federated)
    except (OSError, msgspec.MsgspecError) as error:
        hint = "a key of a service account, or a configuration of workload identity federation that names a file"
        raise EngineError(f"what {FILE} names cannot be used: {error}", hint=hint) from error


async def _account(rest: Rest, who: _Account) -> Token:
    now = int(time.time())
    claims = {"iss": who.client_email, "scope": SCOPE, "aud": who.token_uri, "iat": now, "exp": now + _HOUR}
    form = {"grant_type": _GRANT, "assertion": _signed(who, claims)}
    return lent(await rest.ask("POST", who.token_uri, _FORM, urlencode(form).encode()), "Google")


def _signed(who: _Account, claims: Mapping[str, object]) -> str:
    """Sign claims with the account's key (RFC 7515, RS256)."""
    head = {"alg": "RS256", "typ": "JWT", "kid": who.private_key_id}
    text = b".".join(_text(msgspec.json.encode(part)) for part in (head, claims))
    try:
        key = load_pem_private_key(who.private_key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise EngineError(f"the private key of {who.client_email} cannot be read") from None
    if not isinstance(key, RSAPrivateKey):
        raise EngineError(f"the private key of {who.client_email} is none of RSA")
    return b".".join((text, _text(key.sign(text, PKCS1v15(), SHA256())))).decode()


async def _federated(rest: Rest, who: _Federated) -> Token:
    """Exchange another issuer's token (RFC 8693), and act for a service account where that is wanted."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": who.audience, "scope": SCOPE,
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token_type": who.subject_token_type, "subject_token": _subject(who.credential_source),
    }  # fmt: skip
    token = lent(await rest.ask("POST", who.token_url, _FORM, urlencode(form).encode()), "Google")
    if not who.service_account_impersonation_url:
        return token
    headers = {"authorization": f"Bearer {token.text}", "content-type": "application/json"}
    body = msgspec.json.encode({"scope": [SCOPE]})
    reply = await rest.ask("POST", who.service_account_impersonation_url, headers, body)
    found: Any = reply.read()
    if reply.status != 200 or not isinstance(found, dict) or not isinstance(found.get("accessToken"), str):
        raise EngineError(
            f"Google does not let this process act for a service account: {reply.status}",
            hint="give it roles/iam.workloadIdentityUser",
        )
    return Token(found["accessToken"], min(token.ends, time.time() + _HOUR))


def _subject(source: _Source) -> str:
    try:
        text = Path(source.file).read_text("utf-8").strip()
        field = source.format.get("subject_token_field_name", "")
        return str(msgspec.json.decode(text)[field]) if source.format.get("type") == "json" else text
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise EngineError(f"the token in {source.file} cannot be read: {error}") from error


def _text(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
