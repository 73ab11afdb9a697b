"""How a sealed value is spelled: ``sealed:<key>:<nonce, ciphertext and tag>``, both in URL-safe base64."""

import base64
from typing import NamedTuple

PREFIX = "sealed:"

GONE = "sealed:gone"
"""Stands where something of an erased person was to be written."""


class Sealed(NamedTuple):
    """A sealed value."""

    key: str
    blob: bytes


def spell(key: str, blob: bytes) -> str:
    """Spell a sealed value."""
    return f"{PREFIX}{key}:{base64.urlsafe_b64encode(blob).decode()}"


def is_sealed(value: object) -> bool:
    """Tell whether a stored value is sealed; what was stored before its field was declared personal is not."""
    return isinstance(value, str) and value.startswith(PREFIX)


def read(text: str) -> Sealed | None:
    """Read a sealed value; None for `GONE`, and for what nobody can read."""
    _, _, rest = text.partition(":")
    key, _, blob = rest.partition(":")
    try:
        return Sealed(key, base64.urlsafe_b64decode(blob)) if blob else None
    except ValueError:
        return None
