"""What may be said about the notifications service from outside, and who sends its mail."""

import importlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal

from shoal import Secret, Settings, ShoalError
from shop.notifications.mailer import Mailer
from shop.notifications.unsubscribing import LAPTOP_KEY


class NotificationsSettings(Settings, frozen=True, kw_only=True):
    """What may be said about the notifications service from outside."""

    mailer: Literal["smtp", "ses", "sendgrid", "communication"] = "smtp"
    """Who sends mail."""
    sender: str = "orders@shop.example"
    smtp_url: str = ""
    """``smtp://host:port`` or ``smtps://host:port``."""
    smtp_username: str = ""
    smtp_password: Secret = Secret("")
    ses_region: str = ""
    """Empty for that of the environment."""
    ses_url: str = ""
    """Empty for Amazon's own."""
    ses_access_key: str = ""
    """Empty for the role of the machine."""
    ses_secret_key: Secret = Secret("")
    sendgrid_url: str = "https://api.sendgrid.com"
    sendgrid_key: Secret = Secret("")
    communication_url: str = ""
    """Of Azure Communication Services: ``https://NAME.communication.azure.com``."""
    communication_key: Secret = Secret("")
    """Empty for the identity of the service in Azure."""
    public_url: str = "http://127.0.0.1:8000"
    """Where the gateway is for those who get mail."""
    site_url: str = "http://localhost:5173"
    """Where the shop's pages are."""
    unsubscribe_key: Secret = LAPTOP_KEY
    """Signs the links by which people leave."""
    unsubscribe_key_before: Secret = Secret("")
    """The one of before, whose links are still honoured."""


@asynccontextmanager
async def opened(settings: NotificationsSettings) -> AsyncIterator[Mailer]:
    """Open the mailer that is set; the client libraries of the others are not even imported."""
    if settings.mailer == "smtp":
        yield _smtp(settings)
    elif settings.mailer == "ses":
        ses = importlib.import_module("shop.notifications.ses")
        async with ses.opened(
            ses.Ses(
                sender=settings.sender,
                region=settings.ses_region,
                url=settings.ses_url,
                access_key=settings.ses_access_key,
                secret_key=settings.ses_secret_key,
            )
        ) as mailer:
            yield mailer
    elif settings.mailer == "communication":
        async with _communication(settings) as mailer:
            yield mailer
    else:
        if not settings.sendgrid_key.reveal():
            raise ShoalError("SendGrid cannot be asked without a key", hint="set NOTIFICATIONS__SENDGRID_KEY")
        sendgrid = importlib.import_module("shop.notifications.sendgrid")
        async with sendgrid.opened(
            sendgrid.SendGrid(sender=settings.sender, key=settings.sendgrid_key, url=settings.sendgrid_url)
        ) as mailer:
            yield mailer


def _communication(settings: NotificationsSettings) -> AbstractAsyncContextManager[Mailer]:
    if not settings.communication_url.startswith("https://"):
        hint = "set NOTIFICATIONS__COMMUNICATION_URL=https://NAME.communication.azure.com"
        raise ShoalError("Communication Services cannot be asked without their address", hint=hint)
    communication = importlib.import_module("shop.notifications.communication")
    found: AbstractAsyncContextManager[Mailer] = communication.opened(
        communication.Communication(
            sender=settings.sender, url=settings.communication_url, key=settings.communication_key
        )
    )
    return found


def _smtp(settings: NotificationsSettings) -> Mailer:
    if not settings.smtp_url:
        raise ShoalError("no mail can be sent by SMTP without a server", hint="set NOTIFICATIONS__SMTP_URL")
    smtp = importlib.import_module("shop.notifications.smtp")
    server = smtp.Server(
        url=settings.smtp_url,
        username=settings.smtp_username,
        password=settings.smtp_password,
        sender=settings.sender,
    )
    mailer: Mailer = smtp.SmtpMailer(server)
    return mailer
