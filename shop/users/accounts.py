"""The rules of accounts, without any store."""

from datetime import datetime

from shop.users.contract import UserSignedUp
from shop.users.messages import Profile
from shop.users.records import User

CUSTOMER = "customer"
ADMIN = "admin"


def signed_up(user: User) -> UserSignedUp:
    """Announce a new account."""
    return UserSignedUp(user_id=user.user_id, email=user.email, name=user.name, signed_up_at=user.signed_up_at)


def profile(user: User) -> Profile:
    """Show an account to its owner."""
    return Profile(user_id=user.user_id, email=user.email, name=user.name, roles=user.roles)


def administrator(email: str, password_hash: str, now: datetime) -> User:
    """Make the account that the shop is run with."""
    return User(
        user_id="usr_admin",
        email=email,
        name="Administrator",
        password_hash=password_hash,
        roles=(CUSTOMER, ADMIN),
        signed_up_at=now,
    )
