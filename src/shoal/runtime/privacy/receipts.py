"""Kept answers to idempotent commands: what they say is sealed with a key of the caller's own, who may be a person."""

from collections.abc import Mapping

import msgspec

from shoal.drivers.base import Receipt, Session
from shoal.runtime.privacy import sealed
from shoal.runtime.privacy.vault import DataKey, Need, Vault, sealing, unsealing

ANSWERS = "answers"
"""Scope of the keys that seal answers."""


def needs(receipt: Receipt) -> list[Need]:
    """Say which key is needed; none for an empty answer, and for a caller who is not known."""
    endpoint, _, rest = receipt.key.partition("\n")
    subject, _, key = rest.partition("\n")
    return [(subject, ANSWERS)] if endpoint and subject and key and receipt.body else []


def is_sealed(receipt: Receipt) -> bool:
    """Tell whether an answer is sealed."""
    return receipt.body.startswith(sealed.PREFIX.encode())


def sealed_receipt(owner: str, receipt: Receipt, keys: Mapping[Need, DataKey | None]) -> Receipt:
    """Seal an answer."""
    key = next(iter([keys[need] for need in needs(receipt)]))
    text = sealing(owner, ANSWERS, key, receipt.body.decode("latin-1")) if key else sealed.GONE
    return msgspec.structs.replace(receipt, body=text.encode())


async def unsealed_receipt(owner: str, receipt: Receipt | None, vault: Vault, session: Session) -> Receipt | None:
    """Unseal an answer; that of an erased person is still one, but says nothing."""
    if receipt is None or not is_sealed(receipt):
        return receipt
    text = receipt.body.decode()
    found = sealed.read(text)
    keys = await vault.for_reading(session, [found.key] if found else [], {})
    body: str = unsealing(owner, ANSWERS, keys, text, "null")
    return msgspec.structs.replace(receipt, body=body.encode("latin-1"))
