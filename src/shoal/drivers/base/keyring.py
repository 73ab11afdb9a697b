"""A key ring: holds the keys under which a service's own keys are kept, and never shows them."""

from typing import Protocol

import msgspec

from shoal.errors import Unavailable

PATIENCE = 10.0
"""Seconds for which a ring of a cloud is asked again while it is away or busy."""


class Wrapped(msgspec.Struct, frozen=True, kw_only=True):
    """A key, encrypted under one of the ring's."""

    under: str
    """The ring's name of that key, or of its version."""
    blob: bytes


class Busy(Unavailable):
    """Report that nothing was done, since the ring is asked too much at the moment."""


class KeyRing(Protocol):
    """Wraps the keys of one service. Asked when the service starts and when keys are renewed, never for each value.

    `Unavailable` when trying again may help, `EngineError` for what was never wrapped here, or by a key that is gone.
    No message and no log shows a key.
    """

    async def wrap(self, key: bytes, context: str) -> Wrapped:
        """Encrypt a key under the newest of the ring's; who unwraps it must give the same `context`."""
        ...

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """Decrypt a key, under whichever of the ring's it was wrapped."""
        ...

    async def renew(self) -> str:
        """Make a new key, or a new version of it, under which is wrapped from now on; older ones still unwrap.

        Returns its name.
        """
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
