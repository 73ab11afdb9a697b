"""What the users service tells the others."""

from datetime import datetime

import msgspec

from shoal import Personal, event


@event("users.erased", key="user_id")
class UserErased(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wishes to be forgotten. Whoever knows anything of them forgets it."""

    user_id: str


@event("users.signed_up", key="user_id")
class UserSignedUp(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody has an account now."""

    user_id: str
    email: Personal[str]
    name: Personal[str]
    signed_up_at: datetime
