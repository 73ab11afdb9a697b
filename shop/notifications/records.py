"""What the notifications service keeps."""

from datetime import datetime
from typing import Literal

import msgspec

from shoal import Personal, record
from shop.notifications.languages import Language
from shop.notifications.preferences import Kind

Outcome = Literal["SENT", "REFUSED"]


@record("recipients", key="user_id")
class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to write to: this service's own copy of what users announced."""

    user_id: str
    name: Personal[str]
    email: Personal[str]


@record("notifications", key="message_id")
class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that was handed over, or refused for good."""

    message_id: str
    user_id: str
    order_id: str
    subject: str
    outcome: Outcome
    sent_at: datetime


@record("preferences", key="user_id")
class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody wants to be written to; who is not here has said nothing."""

    user_id: str
    language: Language = "en"
    kinds: tuple[Kind, ...] = ()
    """Of those that may be turned on and off, the ones that are on."""
