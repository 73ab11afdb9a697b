"""Who this process is in Azure: a workload of a cluster, a managed identity, or an application with a secret.

It is found as Azure's own clients do, by the variables that the platform sets. Sources: Microsoft identity platform,
"OAuth 2.0 client credentials flow"; Microsoft Entra Workload ID; "Managed identities: REST endpoint reference" of App
Service; "How to use managed identities on an Azure VM to acquire an access token".
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from shoal.drivers.base.bearer import Bearer, Token, lent
from shoal.drivers.base.rest import Reply, Rest
from shoal.errors import EngineError

MACHINE = "http://169.254.169.254"
"""Where a machine asks who it is; it answers nobody else."""

_AUTHORITY = "https://login.microsoftonline.com"
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def bearer(rest: Rest, resource: str, environ: Mapping[str, str] | None = None) -> Bearer:
    """Return what has tokens for a resource, such as ``https://vault.azure.net``."""
    found = os.environ if environ is None else environ

    async def lend() -> Token:
        return await _lend(rest, resource, found)

    return Bearer(lend)


async def _lend(rest: Rest, resource: str, environ: Mapping[str, str]) -> Token:
    if environ.get("AZURE_FEDERATED_TOKEN_FILE"):
        proof = {"client_assertion_type": _ASSERTION, "client_assertion": _federated(environ)}
        return await _application(rest, resource, environ, proof)
    if environ.get("AZURE_CLIENT_SECRET"):
        return await _application(rest, resource, environ, {"client_secret": environ["AZURE_CLIENT_SECRET"]})
    return lent(await _managed(rest, resource, environ), "Azure's managed identity")


async def _application(rest: Rest, resource: str, environ: Mapping[str, str], proof: Mapping[str, str]) -> Token:
    tenant, client = environ.get("AZURE_TENANT_ID", ""), environ.get("AZURE_CLIENT_ID", "")
    if not tenant or not client:
        raise EngineError("who this process is in Azure is half said", hint="set AZURE_TENANT_ID and AZURE_CLIENT_ID")
    authority = (environ.get("AZURE_AUTHORITY_HOST") or _AUTHORITY).rstrip("/")
    form = {"grant_type": "client_credentials", "client_id": client, "scope": f"{resource}/.default", **proof}
    reply = await rest.ask("POST", f"{authority}/{tenant}/oauth2/v2.0/token", _FORM, urlencode(form).encode())
    return lent(reply, "Microsoft Entra")


async def _managed(rest: Rest, resource: str, environ: Mapping[str, str]) -> Reply:
    """Ask the platform: App Service and Container Apps name a place, every other machine has the same one."""
    client = {"client_id": environ["AZURE_CLIENT_ID"]} if environ.get("AZURE_CLIENT_ID") else {}
    if environ.get("IDENTITY_ENDPOINT") and environ.get("IDENTITY_HEADER"):
        asked = urlencode({"api-version": "2019-08-01", "resource": resource, **client})
        header = {"x-identity-header": environ["IDENTITY_HEADER"]}
        return await rest.ask("GET", f"{environ['IDENTITY_ENDPOINT']}?{asked}", header)
    asked = urlencode({"api-version": "2018-02-01", "resource": resource, **client})
    return await rest.ask("GET", f"{MACHINE}/metadata/identity/oauth2/token?{asked}", {"metadata": "true"})


def _federated(environ: Mapping[str, str]) -> str:
    """Read the cluster's token, which it writes anew every hour."""
    try:
        return Path(environ["AZURE_FEDERATED_TOKEN_FILE"]).read_text("utf-8").strip()
    except OSError as error:
        raise EngineError(f"the cluster's token for Azure cannot be read: {error}") from error
