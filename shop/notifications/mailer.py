"""What notifications asks of a mail server: a narrow port."""

from typing import Protocol

import msgspec

from shoal import ShoalError, Unavailable


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A plain text to one person."""

    message_id: str
    """The same for every sending of the same news, by which a receiver recognises a repetition."""
    name: str
    email: str
    subject: str
    text: str


class MailNotSent(Unavailable):
    """Report that nobody knows whether a mail went out: send it again under the same Message-ID, until it did."""


class MailRefused(ShoalError):
    """Report a mail, or its address, that the server will never take."""


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> None:
        """Hand a mail over; `MailNotSent` or `MailRefused` when that failed."""
        ...
