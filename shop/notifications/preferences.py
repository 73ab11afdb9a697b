"""What people may be told by mail, and what they must be. Pure."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from shop.notifications.languages import Language

Kind = Literal["confirmed", "cancelled", "returned", "feedback"]

REQUIRED: tuple[Kind, ...] = ("confirmed", "cancelled", "returned")
"""A shop owes its customers the confirmation of a contract and of its end: nobody can turn these off."""

OPTIONAL: tuple[Kind, ...] = ("feedback",)
"""Asking for an opinion is advertising: off until somebody turns it on."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody wants to be written to."""

    language: Language = "en"
    kinds: Mapping[Kind, bool] = {}
    """Which mails are sent; what is left out of a wish is as it is for everyone."""


def shown(language: Language, chosen: tuple[Kind, ...]) -> Preferences:
    """Say every kind."""
    return Preferences(language=language, kinds={k: k in REQUIRED or k in chosen for k in (*REQUIRED, *OPTIONAL)})


def chosen(wish: Preferences) -> tuple[Kind, ...]:
    """Return the kinds that somebody turned on beyond those that must be sent."""
    return tuple(kind for kind in OPTIONAL if wish.kinds.get(kind))


def owed(wish: Preferences) -> tuple[Kind, ...]:
    """Return the kinds that somebody wants to turn off and cannot."""
    return tuple(kind for kind in REQUIRED if not wish.kinds.get(kind, True))
