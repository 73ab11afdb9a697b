"""A key ring in memory: the reference, and what tests use."""

from shoal.drivers.base.cipher import Unreadable, new_key, seal, unseal
from shoal.drivers.base.keyring import Wrapped
from shoal.errors import EngineError


class MemoryKeyRing:
    """Implements `base.KeyRing`."""

    def __init__(self) -> None:
        self._keys = {"key-1": new_key()}

    async def wrap(self, key: bytes, context: str) -> Wrapped:
        """Encrypt under the newest key."""
        newest = list(self._keys)[-1]
        return Wrapped(under=newest, blob=seal(self._keys[newest], key, context))

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """Decrypt."""
        try:
            return unseal(self._keys[wrapped.under], wrapped.blob, context)
        except (KeyError, Unreadable):
            raise EngineError(f"a key that is wrapped under {wrapped.under} cannot be read") from None

    async def renew(self) -> str:
        """Add a key."""
        name = f"key-{len(self._keys) + 1}"
        self._keys[name] = new_key()
        return name

    async def close(self) -> None:
        """Nothing is held."""
