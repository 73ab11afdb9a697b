"""A key of Azure Key Vault, which never leaves it.

A vault binds what it wraps to no context. So each key is sealed for its context under one made for it alone, and only
that one is wrapped by the vault. What names the vault's key in the store is its name and version, never a URL: who can
write the store cannot have us show our token to somebody else.
"""

import base64

from shoal.drivers.base.cipher import Unreadable, new_key, seal, unseal
from shoal.drivers.base.keyring import Wrapped
from shoal.drivers.keyvault.vault import NAME, Vault
from shoal.errors import EngineError

ALGORITHMS = ("RSA-OAEP-256", "A256KW")
"""For a key pair (RSA, RSA-HSM), and for a symmetric key of a managed HSM (oct-HSM)."""

_HEAD = 3
"""Bytes before the wrapped key: by which algorithm it is, and how long."""


class VaultKeyRing:
    """Implements `base.KeyRing`."""

    def __init__(self, vault: Vault, key: str, algorithm: str) -> None:
        self._vault, self._key, self._algorithm = vault, key, algorithm
        self._renewed = ""

    async def wrap(self, key: bytes, context: str) -> Wrapped:
        """Seal it for its context, and wrap what it is sealed with."""
        under = self._renewed or await self._vault.newest(self._key)
        own = new_key()
        wrapped = _bytes(await self._vault.do(under, "wrapkey", self._algorithm, _text(own)))
        head = bytes([ALGORITHMS.index(self._algorithm), *len(wrapped).to_bytes(2, "big")])
        return Wrapped(under=under, blob=head + wrapped + seal(own, key, context))

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """Unwrap what it is sealed with, and unseal it."""
        name, _, version = wrapped.under.partition("/")
        if not NAME.fullmatch(name) or not NAME.fullmatch(version):
            raise EngineError(
                f"a key is wrapped under {wrapped.under}, which is none of Azure Key Vault",
                hint="is it of another ring? `shoal privacy move --from URL`",
            )
        try:
            end = _HEAD + int.from_bytes(wrapped.blob[1:_HEAD], "big")
            algorithm, sealed = ALGORITHMS[wrapped.blob[0]], wrapped.blob[end:]
            own = await self._vault.do(wrapped.under, "unwrapkey", algorithm, _text(wrapped.blob[_HEAD:end]))
            return unseal(_bytes(own), sealed, context)
        except (IndexError, Unreadable):
            raise EngineError(
                f"a key that is wrapped under {wrapped.under} cannot be read",
                hint="was the store's copy of it changed, or taken from another system?",
            ) from None

    async def renew(self) -> str:
        """Have the vault make a new version."""
        self._renewed = await self._vault.rotate(self._key)
        return self._renewed

    async def close(self) -> None:
        """Let go of every connection."""
        await self._vault.close()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
