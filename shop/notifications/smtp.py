"""Mail by SMTP: the only file that imports aiosmtplib."""

from urllib.parse import urlsplit

import aiosmtplib
import msgspec

from shoal import Secret
from shop.notifications.mailer import Mail, MailNotSent, MailRefused, told
from shop.notifications.mime import render

TIMEOUT = 10.0
"""Seconds for each step of the conversation."""

_PERMANENT = range(500, 600)  # RFC 5321, section 4.2.1: the same mail would be refused for ever


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail goes out, and in whose name."""

    url: str
    """``smtp://host:port``, or ``smtps://`` for TLS from the first byte; plain SMTP changes to TLS when it can."""
    username: str = ""
    password: Secret = Secret("")
    sender: str = "orders@shop.example"


class SmtpMailer:
    """Implements `Mailer`, with one connection per mail."""

    def __init__(self, server: Server) -> None:
        self._server = server
        parts = urlsplit(server.url)
        self._tls = parts.scheme == "smtps"
        self._host = parts.hostname or "localhost"
        self._port = parts.port or (465 if self._tls else 587)

    async def send(self, mail: Mail) -> None:
        """Hand a mail over."""
        server = self._server
        message = render(mail, server.sender)
        try:
            await aiosmtplib.send(
                message,
                hostname=self._host,
                port=self._port,
                use_tls=self._tls,
                username=server.username or None,
                password=server.password.reveal() or None,
                local_hostname=server.sender.rpartition("@")[2],  # the default asks the network for it
                timeout=TIMEOUT,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _translated(error, mail) from error


def _translated(error: Exception, mail: Mail) -> MailNotSent | MailRefused:
    said = told(error, mail)
    if isinstance(error, aiosmtplib.SMTPNotSupported) or (
        isinstance(error, aiosmtplib.SMTPDataError) and error.code in _PERMANENT
    ):
        return MailRefused(f"mail {mail.message_id} is none that the server takes: {said}")
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [refused.code for refused in error.recipients]
        if codes and all(code in _PERMANENT for code in codes):
            return MailRefused(f"mail {mail.message_id} has an address that takes no mail: {said}")
    return MailNotSent(f"mail {mail.message_id} may not have gone out: {said}", hint="it is sent again")
