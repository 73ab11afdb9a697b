"""The keys of one Azure Key Vault, by its REST interface (version 7.4)."""

import re
from collections.abc import Mapping
from typing import Any

from shoal.drivers.base.bearer import Bearer
from shoal.drivers.base.keyring import PATIENCE, Busy
from shoal.drivers.base.keyservice import KeyService
from shoal.drivers.base.pauses import Pauses, insist
from shoal.drivers.base.rest import Rest
from shoal.errors import EngineError

PRODUCT = "Azure Key Vault"
VERSION = "7.4"

NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
"""How a key, and a version of it, are named."""

_HINTS = {
    403: "give it the role Key Vault Crypto Service Encryption User for the key; who renews: Key Vault Crypto Officer",
    404: "recover it, or bring the store's copy to the vault that it belongs to",
    400: "was the store's copy changed, or taken from another system?",
    401: "does the vault believe the tenant of this process?",
    429: "a vault wraps 4,000 times in 10 seconds; give this system one of its own",
}


class Vault:
    """Asks a vault, and again while it is away or busy where that harms nobody."""

    def __init__(self, rest: Rest, base: str, bearer: Bearer) -> None:
        self._service, self._base = KeyService(PRODUCT, rest, bearer, _HINTS), base

    async def newest(self, key: str) -> str:
        """Name the newest version of a key: ``NAME/VERSION``."""
        found = await insist(lambda: self._ask("GET", f"keys/{key}"), _pauses())
        return self._version(found)

    async def do(self, version: str, what: str, algorithm: str, value: str) -> str:
        """Have a version of a key wrap or unwrap something, both in URL-safe base64."""
        body = {"alg": algorithm, "value": value}
        found = await insist(lambda: self._ask("POST", f"keys/{version}/{what}", body), _pauses())
        return str(found["value"])

    async def rotate(self, key: str) -> str:
        """Make a new version of a key, and name it; only what was certainly not done is repeated."""
        return self._version(await insist(lambda: self._ask("POST", f"keys/{key}/rotate"), _pauses(), Busy))

    async def close(self) -> None:
        """Let go of every connection."""
        await self._service.close()

    async def _ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        return await self._service.ask(method, f"{self._base}/{path}?api-version={VERSION}", body)

    def _version(self, found: Any) -> str:
        """Read the name and version out of a key's identifier, whose vault is ours."""
        kid = str(found.get("key", {}).get("kid", ""))
        name, _, version = kid.partition("/keys/")[2].partition("/")
        if not NAME.fullmatch(name) or not NAME.fullmatch(version):
            raise EngineError(f"{PRODUCT} answers with the key {kid!r}, which has no version")
        return f"{name}/{version}"


def _pauses() -> Pauses:
    return Pauses(PATIENCE, first=0.1, longest=4.0)
