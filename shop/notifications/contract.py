"""What the notifications service tells the others, and itself."""

from datetime import datetime

import msgspec

from shoal import event


# shoal: ignore[SH205] nothing was done before that would have to be undone: whoever helps customers looks at it
@event("notifications.mail_refused", key="user_id")
class MailWasRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A mail will never be taken where it should go: its address is none, or takes no mail. Nobody tries again."""

    message_id: str
    user_id: str
    order_id: str
    refused_at: datetime


@event("notifications.feedback_due", key="order_id")
class FeedbackDue(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who wants that is to be asked how it was: a mail apart, so the service hears it itself."""

    order_id: str
    customer_id: str
