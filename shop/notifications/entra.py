"""Who this process is in Azure, without any key: an app with an identity, or a workload of a cluster.

Both are found by the variables that Azure sets. Sources: "Managed identities in Azure Container Apps", REST endpoint
reference; "Microsoft Entra Workload ID"; Microsoft identity platform, "OAuth 2.0 client credentials flow".
"""

import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from shop.notifications.mailer import MailerMisused
from shop.notifications.posting import Answer, NoAnswerError, Poster

EARLY = 300.0
"""Seconds before its end at which a token is asked for anew."""

_AUTHORITY = "https://login.microsoftonline.com"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_HINT = "give the service an identity, or set NOTIFICATIONS__COMMUNICATION_KEY"


class _Lent(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int | str = 0


class Identity:
    """Has a token for one resource, and asks for another one before it ends."""

    def __init__(self, post: Poster, resource: str, environ: Mapping[str, str]) -> None:
        self._post, self._resource, self._environ = post, resource, environ
        self._token, self._until = "", 0.0

    async def token(self) -> str:
        """Return a token; `MailerMisused` when this process is nobody, `NoAnswerError` when nobody says who it is."""
        if not self._token or time.monotonic() > self._until:
            lent = _read(await self._ask())
            self._token, self._until = lent.access_token, time.monotonic() + int(lent.expires_in or 3600) - EARLY
        return self._token

    def forget(self) -> None:
        """Ask for another token next time: this one was refused."""
        self._token = ""

    async def _ask(self) -> Answer:
        environ = self._environ
        if environ.get("IDENTITY_ENDPOINT") and environ.get("IDENTITY_HEADER"):
            client = {"client_id": environ["AZURE_CLIENT_ID"]} if environ.get("AZURE_CLIENT_ID") else {}
            asked = urlencode({"api-version": "2019-08-01", "resource": self._resource, **client})
            headers = {"X-IDENTITY-HEADER": environ["IDENTITY_HEADER"]}
            return await self._post.ask("GET", f"{environ['IDENTITY_ENDPOINT']}?{asked}", headers)
        file, tenant = environ.get("AZURE_FEDERATED_TOKEN_FILE", ""), environ.get("AZURE_TENANT_ID", "")
        if file and tenant:
            return await self._exchanged(file, tenant)
        raise MailerMisused("nobody says who this process is in Azure", hint=_HINT)

    async def _exchanged(self, file: str, tenant: str) -> Answer:
        """Show the cluster's token, for one of Azure."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._environ.get("AZURE_CLIENT_ID", ""),
            "scope": f"{self._resource}/.default",
            "client_assertion_type": _ASSERTION,
            "client_assertion": _shown(file),
        }
        authority = (self._environ.get("AZURE_AUTHORITY_HOST") or _AUTHORITY).rstrip("/")
        url, headers = f"{authority}/{tenant}/oauth2/v2.0/token", {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._post.ask("POST", url, headers, urlencode(form).encode())


def _shown(file: str) -> str:
    """Read the cluster's token, which is written anew every hour."""
    try:
        return Path(file).read_text("utf-8").strip()
    except OSError as error:
        raise MailerMisused(f"the cluster's token for Azure cannot be read: {error}", hint=_HINT) from error


def _read(answer: Answer) -> _Lent:
    """Read a token; nothing of what was said instead is repeated, since it may hold one."""
    if answer.status == 429 or answer.status >= 500:
        raise NoAnswerError(f"Azure's identity answered {answer.status}")
    try:
        if answer.status == 200:
            return msgspec.json.decode(answer.text, type=_Lent)
    except msgspec.DecodeError:
        pass
    raise MailerMisused(f"Azure lends this process no token: it answered {answer.status}", hint=_HINT)
