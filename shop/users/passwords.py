"""Hashing of passwords: the only file that imports argon2."""

import asyncio

import argon2


class Passwords:
    """Hashes and checks passwords on threads of their own, since one hash costs tens of milliseconds."""

    def __init__(self) -> None:
        # OWASP's Password Storage Cheat Sheet, Argon2id: 19 MiB of memory, two passes, one lane.
        self._hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """Hash a password with a salt of its own."""
        return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, known: str | None, password: str) -> bool:
        """Compare a password with a hash; without one the answer is no, after the same amount of work."""
        found = await asyncio.to_thread(self._verify, known or self._nobody, password)
        return found and known is not None

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except argon2.exceptions.VerificationError:
            return False
