"""Mail by SendGrid, version 3 of its API.

Sources: SendGrid API Reference, "Mail Send", "Errors", "Rate Limits". SendGrid takes a mail to an address of its
suppression lists, and tells of it later by its event webhook, with our ``message_id``.
"""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from shoal import Secret
from shop.notifications.mailer import Mail, MailerMisused, MailNotSent, MailRefused, told
from shop.notifications.mime import unsubscribing
from shop.notifications.posting import NoAnswerError, Poster, posting
from shop.notifications.waiting import seconds

_PATH = "/v3/mail/send"
_REFUSED = frozenset({400, 413})
_LONGEST = 2000
"""Characters of an answer that are told on."""


class SendGrid(msgspec.Struct, frozen=True, kw_only=True):
    """Where SendGrid is, and in whose name mail goes out."""

    sender: str
    key: Secret
    url: str = "https://api.sendgrid.com"


class SendGridMailer:
    """Implements `Mailer`; one instance serves many tasks."""

    def __init__(self, post: Poster, sendgrid: SendGrid) -> None:
        self._post, self._url, self._sender = post, sendgrid.url.rstrip("/") + _PATH, sendgrid.sender
        self._headers = {"Authorization": f"Bearer {sendgrid.key.reveal()}", "Content-Type": "application/json"}

    async def send(self, mail: Mail) -> None:
        """Hand a mail over."""
        said = msgspec.json.encode(written(mail, self._sender))
        try:
            answer = await self._post.ask("POST", self._url, self._headers, said)
        except NoAnswerError as error:
            message = f"mail {mail.message_id} may not have gone out: {error}"
            raise MailNotSent(message, hint="it is sent again") from error
        if answer.status >= 300:
            raise _translated(answer.status, answer.headers, answer.text[:_LONGEST], mail)


@asynccontextmanager
async def opened(sendgrid: SendGrid) -> AsyncIterator[SendGridMailer]:
    """Keep connections to SendGrid open."""
    async with posting() as post:
        yield SendGridMailer(post, sendgrid)


def written(mail: Mail, sender: str) -> dict[str, Any]:
    """Write a mail as SendGrid wants it: plain text before HTML, and no clicks or openings watched."""
    html = [{"type": "text/html", "value": mail.html}] if mail.html else []
    return {
        "personalizations": [{"to": [{"email": mail.email, "name": mail.name}]}],
        "from": {"email": sender, "name": "Shop"},
        "subject": mail.subject,
        "content": [{"type": "text/plain", "value": mail.text}, *html],
        "headers": {
            "Message-ID": mail.message_id,
            "Content-Language": mail.language,
            "Auto-Submitted": "auto-generated",
            **unsubscribing(mail),
        },
        "custom_args": {"message_id": mail.message_id},
        "tracking_settings": {
            "click_tracking": {"enable": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
        },
    }


def _translated(
    status: int, headers: Mapping[str, str], said: str, mail: Mail
) -> MailNotSent | MailRefused | MailerMisused:
    text = f"mail {mail.message_id}: SendGrid answered {status}: {told(said, mail)}"
    if status in _REFUSED:
        return MailRefused(text)
    if status == 429 or status >= 500:
        return MailNotSent(text, hint="it is sent again", after=_after(headers))
    return MailerMisused(text, hint="check NOTIFICATIONS__SENDGRID_KEY and the sender; then `shoal dlq replay`")


def _after(headers: Mapping[str, str]) -> float:
    """Read how long to wait; SendGrid also says when its period ends, in seconds since 1970."""
    reset = headers.get("X-RateLimit-Reset", "")
    return seconds(headers.get("Retry-After", "")) or (max(0.0, int(reset) - time.time()) if reset.isdecimal() else 0.0)
