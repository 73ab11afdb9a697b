"""What the users service keeps."""

import unicodedata
from datetime import datetime
from typing import Annotated

import msgspec

from shoal import Personal, personal, record


def canonical(email: str) -> str:
    """Spell an e-mail address in the one way by which it is compared."""
    return unicodedata.normalize("NFKC", email).casefold()


@record("users", key="user_id")
class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account."""

    user_id: str
    email: Annotated[str, personal(unique=True, spelled=canonical)]
    """As its owner writes it; mail goes there. No two accounts have the same, in whatever spelling."""
    name: Personal[str]
    password_hash: str
    roles: tuple[str, ...]
    signed_up_at: datetime


@record("addresses", key="address")
class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Whose an e-mail address is, in the clear: from before accounts were found by a keyed hash of it.

    The seed ``sealed-accounts`` empties the table.
    """

    address: str
    """In the one spelling that `canonical` gives it."""
    user_id: str
