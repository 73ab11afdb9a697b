"""What the users service is asked over HTTP, and what it answers."""

from typing import Annotated, Literal

import msgspec

# In Python, `$` also matches before a last line feed, which has no place in the header of a mail.
Email = Annotated[str, msgspec.Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$(?!\n)")]
Name = Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*)$(?!\n)")]
NewPassword = Annotated[str, msgspec.Meta(min_length=8, max_length=128)]
Password = Annotated[str, msgspec.Meta(max_length=128)]


class SignUp(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for an account."""

    email: Email
    name: Name
    password: NewPassword


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody claims to be."""

    email: Email
    password: Password


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token, in the shape of RFC 6749, section 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of the scheme
    expires_in: int
    """Seconds."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """An account as its owner sees it."""

    user_id: str
    email: str
    name: str
    roles: tuple[str, ...]
