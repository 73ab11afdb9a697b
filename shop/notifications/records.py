"""What the notifications service keeps."""

from datetime import datetime
from typing import Literal

import msgspec

from shoal import Personal, record

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
