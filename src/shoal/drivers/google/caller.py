"""Who this process is to a service on Cloud Run, which lets nobody in who may not call it.

The metadata server of the instance signs a token for each service that is called, for an hour. It goes into a header of
its own, so that whoever is signed in keeps ``authorization``. Sources: "Authenticating service-to-service" of Cloud Run
(``X-Serverless-Authorization``); "Verify the identity of VMs" (``instance/service-accounts/default/identity``).
"""

import base64
import os
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from shoal.drivers.base.bearer import Bearer, Token
from shoal.drivers.base.rest import Rest
from shoal.errors import EngineError, Unavailable

HEADER = "x-serverless-authorization"

_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity"
_PRODUCT = "Google's metadata server"
_SECONDS = 5.0


class _Claims(msgspec.Struct, frozen=True):
    exp: float


class GoogleCaller:
    """Has a token for each service that is called; those who want one at once ask together."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        found = os.environ if environ is None else environ
        self._host = found.get("GCE_METADATA_HOST") or "metadata.google.internal"
        self._rest = Rest(_PRODUCT, seconds=_SECONDS)
        self._bearers: dict[str, Bearer] = {}

    async def headers(self, audience: str) -> dict[str, str]:
        """Return the header that says to a service who we are; `audience` is its address.

        Raises:
            Unavailable: The metadata server does not answer, or has too much to do.
            EngineError: It gives no token.
        """
        bearer = self._bearers.get(audience)
        if bearer is None:
            bearer = self._bearers[audience] = Bearer(lambda: self._lend(audience))
        return {HEADER: (await bearer.headers())["authorization"]}

    async def close(self) -> None:
        """Let go of every connection."""
        await self._rest.close()

    async def _lend(self, audience: str) -> Token:
        url = f"http://{self._host}{_PATH}?{urlencode({'audience': audience, 'format': 'full'})}"
        reply = await self._rest.ask("GET", url, {"metadata-flavor": "Google"})
        if reply.status >= 500 or reply.status == 429:
            raise Unavailable(f"{_PRODUCT} signs no token at the moment: it answers {reply.status}")
        text = bytes(reply.body).decode("latin-1").strip()
        if reply.status != 200:
            raise EngineError(
                f"{_PRODUCT} signs no token for {audience}: {reply.status}", hint="has it a service account?"
            )
        return Token(text, _ends(text))


def _ends(token: str) -> float:
    """Read when a token ends (RFC 7519, 4.1.4); nobody else is to believe it for that."""
    try:
        claims = token.split(".")[1]
        return msgspec.json.decode(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)), type=_Claims).exp
    except (IndexError, ValueError, msgspec.MsgspecError):
        raise EngineError(f"{_PRODUCT} answers with something that is no token") from None
