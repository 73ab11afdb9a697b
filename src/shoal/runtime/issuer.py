"""The `TokenIssuer` of the service that signs the system's tokens."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shoal.service.access import anyone
from shoal.service.context import Clock
from shoal.service.declare import EndpointDeclaration
from shoal.service.describe import JWKS_PATH
from shoal.service.marks import Operation
from shoal.tokens import Signer


class KeyIssuer:
    """Signs with the private key that only this service was given."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer, self._clock = signer, clock

    def issue(
        self,
        subject: str,
        *,
        roles: Sequence[str] = (),
        lifetime: float = 3600.0,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """Sign a token for `subject`."""
        full = dict(claims or {}) | ({"roles": list(roles)} if roles else {})
        return self._signer.sign(subject, self._clock.now().timestamp(), lifetime, full)


def _read(file: Path) -> dict[str, Any]:
    """Read the keys anew each time, since they may be rotated; the file is small."""
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])


def key_set_endpoint(jwks: str, source: str) -> EndpointDeclaration:
    """Publish the public keys in the file `jwks`."""
    file = Path(jwks)

    async def published() -> dict[str, Any]:
        return _read(file)

    operation = Operation(name="jwks", method="GET", path=JWKS_PATH, access=anyone, source=source)
    handler: Callable[[], Awaitable[dict[str, Any]]] = published
    return EndpointDeclaration(operation=operation, handler=handler)
