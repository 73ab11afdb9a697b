"""A symmetric key of AWS KMS, which never leaves it; what it wraps names the key and the version for itself.

Sources: AWS KMS API reference, "Encrypt", "Decrypt", "RotateKeyOnDemand", "GetKeyRotationStatus"; AWS KMS developer
guide, "Encryption context". The context is sent and logged by Amazon; it names places and no person. Whoever can write
the store could name a key of their own there, so keys of other accounts and regions are refused.
"""

import contextlib
from urllib.parse import quote

from shoal.drivers.aws.client import AwsClient, AwsRefusal, Json
from shoal.drivers.aws.discreet import discreet
from shoal.drivers.base.keyring import PATIENCE, Busy, Wrapped
from shoal.drivers.base.pauses import Pauses, insist
from shoal.errors import EngineError, Unavailable

CONTEXT = "shoal"
"""Name of the one pair of the encryption context, for conditions of policies: ``kms:EncryptionContext:shoal``."""

TURNING = 300.0
"""Seconds for which it is waited until a key has turned to its new material."""

_HINTS = {
    "AccessDeniedException": "give its role kms:DescribeKey, kms:Encrypt and kms:Decrypt; who renews: "
    "kms:RotateKeyOnDemand and kms:GetKeyRotationStatus too",
    "DisabledException": "enable the key again; what it wrapped can be read by nobody else",
    "InvalidCiphertextException": "was the store's copy changed, or taken from another system?",
    "IncorrectKeyException": "was the store's copy changed, or taken from another system?",
    "KMSInvalidStateException": "is it about to be deleted? cancel that: what it wrapped can be read by nobody else",
    "LimitExceededException": "a key turns 25 times: make another, move the alias to it, and `shoal privacy move`",
    "NotFoundException": "bring it back, or bring the store's copy to the ring that it belongs to",
    "UnsupportedOperationException": "only symmetric keys that KMS made turn on demand",
}
_EVERYWHERE, _REGION = "key/mrk-", 3
_TURNING_ALREADY = "ConflictException"


class KmsKeyRing:
    """Implements `base.KeyRing`."""

    def __init__(self, client: AwsClient, key: str, place: str) -> None:
        self._client, self._key, self._place = client, key, place
        self._known = ""

    async def wrap(self, key: bytes, context: str) -> Wrapped:
        """Encrypt."""
        answer = await self._insist("encrypt", KeyId=self._key, Plaintext=key, EncryptionContext=_pair(context))
        return Wrapped(under=str(answer["KeyId"]), blob=bytes(answer["CiphertextBlob"]))

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """Decrypt, by the very key that wrapped it, wherever an alias points by now."""
        key = _here(wrapped.under, await self._arn())
        words = {"KeyId": key, "CiphertextBlob": wrapped.blob, "EncryptionContext": _pair(context)}
        return bytes((await self._insist("decrypt", **words))["Plaintext"])

    async def renew(self) -> str:
        """Turn the key to new material, and wait until it has; its name stays."""
        key = await self._arn()
        with contextlib.suppress(_Turning):
            await insist(lambda: self._ask("rotate_key_on_demand", KeyId=key), _pauses(), Busy)
        await insist(lambda: self._turned(key), Pauses(TURNING, first=0.1, longest=5.0), _Turning)
        return key

    async def _arn(self) -> str:
        """Name our key in full."""
        if not self._known:
            found = await self._insist("describe_key", KeyId=self._key)
            self._known = str(found["KeyMetadata"]["Arn"])
        return self._known

    async def _turned(self, key: str) -> None:
        status = await self._insist("get_key_rotation_status", KeyId=key)
        if status.get("OnDemandRotationStartDate") is not None:
            raise _Turning(f"{key} has not turned to its new material yet", hint="`shoal privacy renew` again, later")

    async def close(self) -> None:
        """Let go of every connection."""
        await self._client.close()

    async def _insist(self, operation: str, **words: object) -> Json:
        """Ask again while it is away or busy: reading and encrypting harm nobody."""
        return await insist(lambda: self._ask(operation, **words), _pauses())

    async def _ask(self, operation: str, **words: object) -> Json:
        try:
            with discreet():
                return await self._client.ask(operation, **words)
        except AwsRefusal as refusal:
            raise self._meaning(refusal) from refusal

    def _meaning(self, refusal: AwsRefusal) -> EngineError:
        said = (
            f"AWS KMS at {self._place} refused {refusal.operation} with {self._key}: {refusal.code} {refusal.message}"
        )
        if refusal.code == _TURNING_ALREADY:
            return _Turning(said)
        if refusal.throttled and refusal.code != "LimitExceededException":
            return Busy(said, hint="ask for less, or have the quota of KMS raised")
        if refusal.away or refusal.outdated:
            return Unavailable(said, hint="try again")
        return EngineError(said, hint=_HINTS.get(refusal.code, ""))


class _Turning(Unavailable):
    """A key is turning to new material."""


def _here(under: str, own: str) -> str:
    """Name the key that wrapped something as it is called in our region, where a key of several regions has a replica.

    An ARN is ``arn:partition:kms:region:account:key/id``.
    """
    theirs, ours = under.split(":"), own.split(":")
    if theirs[-1].startswith(_EVERYWHERE) and len(theirs) == len(ours):
        theirs[_REGION] = ours[_REGION]
    if theirs[:-1] != ours[:-1]:
        raise EngineError(
            f"a key is wrapped under {under}, which is none of this account and region of AWS KMS",
            hint="is it of another ring? `shoal privacy move --from URL`",
        )
    return ":".join(theirs)


def _pauses() -> Pauses:
    return Pauses(PATIENCE, first=0.1, longest=2.0)


def _pair(context: str) -> dict[str, str]:
    """Spell the context in characters that policies can hold."""
    return {CONTEXT: quote(context, safe="")}
