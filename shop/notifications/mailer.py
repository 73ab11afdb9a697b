"""What notifications asks of who sends mail: a narrow port, which `smtp`, `ses`, `sendgrid` and `communication` fill.

None of them has idempotency keys. A handler sends before its commit, so a mail whose answer was lost goes out again:
rather twice than never. It does so under the same Message-ID, which SMTP and SendGrid hand on to the receiver; SES
writes its own, and tells ours in the tag ``mail`` of its events; Communication Services write their own where ours was
used before. Once the handler has committed, the mark in the inbox lets no mail go again.
"""

from typing import Protocol

import msgspec

from shoal import ShoalError, Unavailable
from shop.notifications.languages import Language


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to one person, in plain text and in HTML."""

    message_id: str
    """The same for every sending of the same news, by which a receiver recognises a repetition."""
    name: str
    email: str
    subject: str
    text: str
    html: str = ""
    language: Language = "en"
    unsubscribe: str = ""
    """Where one POST turns mails of this kind off (RFC 8058); empty for those that must be sent."""


def told(said: Exception | str, mail: Mail) -> str:
    """Repeat what a server said without whom a mail is to: it goes into logs, and the address is kept sealed."""
    text = str(said) or (type(said).__name__ if isinstance(said, Exception) else "")
    for word in filter(None, (mail.email, mail.name)):
        text = text.replace(word, "***")
    return text


class MailNotSent(Unavailable):
    """Report that nobody knows whether a mail went out: send it again under the same Message-ID, until it did."""


class MailRefused(ShoalError):
    """Report a mail, or its address, that will never be taken."""


class MailerMisused(ShoalError):
    """Report that who sends mail refuses us: wrong keys, a sender that is not verified. A person solves that."""


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> None:
        """Hand a mail over; `MailNotSent`, `MailRefused` or `MailerMisused` when that failed."""
        ...
