"""What lets us in: tokens of the platform, or signatures of a shared access policy.

Source: "Claims-based security authorization" in the AMQP protocol guide; "Service Bus access control with Shared Access
Signatures".
"""

import base64
import hashlib
import hmac
import time
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from shoal.drivers.base.bearer import Bearer
from shoal.drivers.servicebus.address import ServicebusAddress

RESOURCE = "https://servicebus.azure.net"
SIGNED_SECONDS = 3600
AGAIN_SECONDS = 120.0
"""So often tokens are looked at again: less than the time for which `Bearer` has another one before the former ends."""


class Right(NamedTuple):
    """A token."""

    kind: str
    """As ``$cbs`` calls it."""
    text: str

    def __repr__(self) -> str:
        """Show nothing of it."""
        return f"Right({self.kind})"


class Rights:
    """Has a token for whatever is asked."""

    def __init__(self, address: ServicebusAddress, bearer: Bearer | None) -> None:
        self._address, self._bearer = address, bearer

    async def to(self, resource: str) -> Right:
        """Return a token for a resource; raises as `Bearer.headers` does."""
        if self._bearer is None:
            return Right("servicebus.windows.net:sastoken", self._signed(resource))
        headers = await self._bearer.headers()
        return Right("jwt", headers["authorization"].removeprefix("Bearer "))

    async def headers(self, resource: str) -> dict[str, str]:
        """Return the header of a request over HTTP."""
        right = await self.to(resource)
        return {"authorization": f"Bearer {right.text}" if right.kind == "jwt" else right.text}

    def forget(self) -> None:
        """Let go of a token that was refused."""
        if self._bearer is not None:
            self._bearer.forget()

    def _signed(self, resource: str) -> str:
        """Sign for an hour; the same signature for half of it, so that nothing is said again that was said."""
        step = SIGNED_SECONDS // 2
        ends = (int(time.time()) // step + 2) * step
        quoted = quote_plus(resource)
        signature = hmac.new(self._address.key.encode(), f"{quoted}\n{ends}".encode(), hashlib.sha256).digest()
        text = quote(base64.b64encode(signature), safe="")
        return f"SharedAccessSignature sr={quoted}&sig={text}&se={ends}&skn={quote(self._address.policy)}"
