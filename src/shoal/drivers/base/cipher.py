"""AES-256-GCM (NIST SP 800-38D) with a random nonce before each ciphertext."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
"""Bytes of a nonce. It is random, so one key may seal 2**32 values (section 8.3)."""

KEY = 32
"""Bytes of a key."""


class Unreadable(Exception):
    """A ciphertext was made with another key, for another place, or was changed."""


def new_key() -> bytes:
    """Make a key."""
    return os.urandom(KEY)


def seal(key: bytes, plain: bytes, place: str) -> bytes:
    """Encrypt a value for one place; return nonce, ciphertext and tag."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """Decrypt a value that was sealed for that place, or raise `Unreadable`."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], place.encode())
    except (InvalidTag, ValueError) as error:
        raise Unreadable from error
