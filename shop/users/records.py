"""What the users service keeps."""

from datetime import datetime

import msgspec

from shoal import record


@record("users", key="user_id")
class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account."""

    user_id: str
    email: str
    """As its owner writes it; mail goes there."""
    name: str
    password_hash: str
    roles: tuple[str, ...]
    signed_up_at: datetime


@record("addresses", key="address")
class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Whose an e-mail address is. As the key of a table, an address belongs to one account only."""

    address: str
    """In the one spelling that `accounts.canonical` gives it."""
    user_id: str
