"""A symmetric key of Google Cloud KMS, which never leaves it, by its REST interface.

Sources: Cloud KMS REST reference, "cryptoKeys.encrypt", "cryptoKeys.decrypt", "cryptoKeys.updatePrimaryVersion";
"Verifying end-to-end data integrity"; "Cloud KMS resource consistency": a new primary version is known everywhere only
after a minute, or hours. So whoever renewed names the new version itself. Whoever can write the store could name a key
of their own there, so keys that are not beside ours are refused.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

from shoal.drivers.base.bearer import Bearer
from shoal.drivers.base.keyring import PATIENCE, Busy, Wrapped
from shoal.drivers.base.keyservice import KeyService
from shoal.drivers.base.pauses import Pauses, insist
from shoal.drivers.base.rest import Rest
from shoal.drivers.cloudkms.crc32c import crc32c
from shoal.errors import EngineError, Unavailable

PRODUCT = "Google Cloud KMS"
KEY = re.compile(r"projects/\w[\w.:-]*/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+", re.ASCII)
_VERSION = "/cryptoKeyVersions/"

TURNING = 60.0
"""Seconds for which it is waited until a new version has been made: at once in software, longer in an HSM."""

_HINTS = {
    403: "give it roles/cloudkms.cryptoKeyEncrypterDecrypter on the key; who renews: roles/cloudkms.admin too",
    404: "restore it, or bring the store's copy to the key that it belongs to",
    400: "was the store's copy changed, or taken from another system? is its version disabled or destroyed?",
    401: "is the service account of this process disabled?",
    429: "ask for less, or have the project's quota of cryptographic requests raised",
}


class GoogleKeyRing:
    """Implements `base.KeyRing`."""

    def __init__(self, rest: Rest, base: str, bearer: Bearer, key: str) -> None:
        self._service, self._base, self._key = KeyService(PRODUCT, rest, bearer, _HINTS), base, key
        self._renewed = ""

    async def wrap(self, key: bytes, context: str) -> Wrapped:
        """Encrypt, and be sure that it was what we sent."""
        place = context.encode()
        asked = {
            "plaintext": _text(key), "plaintextCrc32c": str(crc32c(key)),
            "additionalAuthenticatedData": _text(place), "additionalAuthenticatedDataCrc32c": str(crc32c(place)),
        }  # fmt: skip
        return await insist(lambda: self._wrapped(asked), _pauses())

    async def _wrapped(self, asked: Mapping[str, str]) -> Wrapped:
        found = await self._ask(f"{self._renewed or self._key}:encrypt", asked)
        blob, under = base64.b64decode(found["ciphertext"]), str(found["name"])
        heard = found.get("verifiedPlaintextCrc32c") and found.get("verifiedAdditionalAuthenticatedDataCrc32c")
        if not heard or int(found["ciphertextCrc32c"]) != crc32c(blob) or not under.startswith(self._key + _VERSION):
            raise Unavailable("a key was changed on its way to Google Cloud KMS or back", hint="try again")
        return Wrapped(under=under, blob=blob)

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """Decrypt; the ciphertext names its version."""
        key = wrapped.under.partition(_VERSION)[0]
        if not KEY.fullmatch(key) or key.rpartition("/")[0] != self._key.rpartition("/")[0]:
            raise EngineError(
                f"a key is wrapped under {wrapped.under}, which is none of this ring of Google Cloud KMS",
                hint="is it of another ring? `shoal privacy move --from URL`",
            )
        place = context.encode()
        asked = {
            "ciphertext": _text(wrapped.blob), "ciphertextCrc32c": str(crc32c(wrapped.blob)),
            "additionalAuthenticatedData": _text(place), "additionalAuthenticatedDataCrc32c": str(crc32c(place)),
        }  # fmt: skip
        return await insist(lambda: self._unwrapped(key, asked), _pauses())

    async def _unwrapped(self, key: str, asked: Mapping[str, str]) -> bytes:
        found = await self._ask(f"{key}:decrypt", asked)
        plain = base64.b64decode(found["plaintext"])
        if int(found["plaintextCrc32c"]) != crc32c(plain):
            raise Unavailable("a key was changed on its way from Google Cloud KMS", hint="try again")
        return plain

    async def renew(self) -> str:
        """Make a new version and let it be the one that encrypts."""
        made = await insist(lambda: self._ask(f"{self._key}/cryptoKeyVersions", {}), _pauses(), Busy)
        name = str(made["name"])
        await insist(lambda: self._made(name), Pauses(TURNING, first=0.1, longest=2.0))
        turn = {"cryptoKeyVersionId": name.partition(_VERSION)[2]}
        await insist(lambda: self._ask(f"{self._key}:updatePrimaryVersion", turn), _pauses())
        self._renewed = name
        return name

    async def _made(self, name: str) -> None:
        state = (await self._ask(name)).get("state")
        if state == "PENDING_GENERATION":
            raise Unavailable(f"{name} is not made yet", hint="`shoal privacy renew` again, later")
        if state != "ENABLED":
            raise EngineError(f"the new version {name} is {state}", hint="can its key be encrypted with at all?")

    async def close(self) -> None:
        """Let go of every connection."""
        await self._service.close()

    async def _ask(self, path: str, body: Mapping[str, str] | None = None) -> Any:
        return await self._service.ask("GET" if body is None else "POST", f"{self._base}/v1/{path}", body)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _pauses() -> Pauses:
    return Pauses(PATIENCE, first=0.1, longest=2.0)
