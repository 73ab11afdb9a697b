"""Mails as RFC 5322 wants them. Pure."""

import email.policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate

from shop.notifications.mailer import Mail, MailRefused

_POLICY = email.policy.SMTP.clone(max_line_length=900)
"""Headers are not folded within an address of the web, which some programs would not put together again."""


def render(mail: Mail, sender: str) -> EmailMessage:
    """Write a mail; `MailRefused` when its address is none."""
    try:
        return _render(mail, sender)
    except Exception as error:  # an address that no mail can carry; the parser fails in many ways
        raise MailRefused(f"mail {mail.message_id} has an address that cannot be written: {error}") from error


def unsubscribing(mail: Mail) -> dict[str, str]:
    """Return the headers by which mail programs offer to turn mails like this off, with one click (RFC 8058)."""
    if not mail.unsubscribe:
        return {}
    return {"List-Unsubscribe": f"<{mail.unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _render(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    message["Message-ID"] = mail.message_id
    message["Date"] = formatdate()
    message["From"] = Address(display_name="Shop", addr_spec=sender)
    message["To"] = Address(display_name=mail.name, addr_spec=mail.email)
    message["Subject"] = mail.subject
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence notes, please
    for name, value in unsubscribing(mail).items():
        message[name] = value
    message.set_content(mail.text, cte="quoted-printable")
    if mail.html:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = mail.language  # at the end, or it would stay with the first part
    return message
