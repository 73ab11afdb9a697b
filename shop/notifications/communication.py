"""Mail by Azure Communication Services, by their own interface, which wants no password of SMTP.

Sources: Azure Communication Services REST reference, "Email - Send" (2025-09-01), "Authentication"; "Adding reserved
custom headers". A mail is taken and sent later: what becomes of it is told by Event Grid. A Message-ID that was used
before is replaced by one of theirs; the id of the operation, which follows from ours, stays the same.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import msgspec

from shoal import Secret
from shop.notifications.entra import Identity
from shop.notifications.mailer import Mail, MailerMisused, MailNotSent, MailRefused, told
from shop.notifications.mime import unsubscribing
from shop.notifications.posting import Answer, NoAnswerError, Poster, posting
from shop.notifications.waiting import seconds

VERSION = "2025-09-01"
RESOURCE = "https://communication.azure.com"

_REFUSED = frozenset({400, 413})
_OURS = ("sender", "domain")
"""Stand in the code of what is refused because of us, not because of who gets the mail."""
_CHECK = "check NOTIFICATIONS__COMMUNICATION_URL, the key or the role, and the sender; then `shoal dlq replay`"
_LONGEST = 2000
"""Characters of an answer that are told on."""


class Communication(msgspec.Struct, frozen=True, kw_only=True):
    """Where Communication Services are, and in whose name mail goes out."""

    sender: str
    url: str
    """``https://NAME.communication.azure.com``."""
    key: Secret = Secret("")
    """Empty for the identity of this process."""


class Signer(Protocol):
    """Says who asks."""

    async def headers(self, url: str, body: bytes, /) -> Mapping[str, str]:
        """Return the headers by which one request is known as ours."""
        ...

    def refused(self) -> None:
        """Hear that they were not believed."""
        ...


class KeySigner:
    """Signs each request with the access key (HMAC-SHA256)."""

    def __init__(self, key: Secret) -> None:
        try:
            self._key = base64.b64decode(key.reveal(), validate=True)
        except ValueError as error:
            hint = "copy it from the resource's keys to NOTIFICATIONS__COMMUNICATION_KEY"
            raise MailerMisused("the access key of Communication Services is no base64", hint=hint) from error

    async def headers(self, url: str, body: bytes, /) -> Mapping[str, str]:
        """Sign what is sent, to whom and when."""
        parts, date = urlsplit(url), formatdate(usegmt=True)
        content = base64.b64encode(hashlib.sha256(body).digest()).decode()
        text = f"POST\n{parts.path}?{parts.query}\n{date};{parts.netloc};{content}"
        signature = base64.b64encode(hmac.digest(self._key, text.encode(), "sha256")).decode()
        signed = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
        return {"x-ms-date": date, "Host": parts.netloc, "x-ms-content-sha256": content, "Authorization": signed}

    def refused(self) -> None:
        """Do nothing: it stays the key that it is."""


class IdentitySigner:
    """Shows a token of Entra."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def headers(self, _url: str, _body: bytes, /) -> Mapping[str, str]:
        """Show the token, whatever is asked."""
        return {"Authorization": f"Bearer {await self._identity.token()}"}

    def refused(self) -> None:
        """Ask for another token next time."""
        self._identity.forget()


class CommunicationMailer:
    """Implements `Mailer`; one instance serves many tasks."""

    def __init__(self, post: Poster, communication: Communication, signer: Signer) -> None:
        self._post, self._sender, self._signer = post, communication.sender, signer
        self._url = f"{communication.url.rstrip('/')}/emails:send?api-version={VERSION}"

    async def send(self, mail: Mail) -> None:
        """Hand a mail over."""
        body = msgspec.json.encode(written(mail, self._sender))
        headers = {"Content-Type": "application/json", "Operation-Id": str(uuid5(NAMESPACE_URL, mail.message_id))}
        try:
            headers |= await self._signer.headers(self._url, body)
            answer = await self._post.ask("POST", self._url, headers, body)
        except NoAnswerError as error:
            message = f"mail {mail.message_id} may not have gone out: {error}"
            raise MailNotSent(message, hint="it is sent again") from error
        if answer.status == 401:
            self._signer.refused()
        if answer.status >= 300:
            raise _translated(answer, mail)


@asynccontextmanager
async def opened(
    communication: Communication, environ: Mapping[str, str] | None = None
) -> AsyncIterator[CommunicationMailer]:
    """Keep connections open, and be known by the key, or where there is none by the identity of the process."""
    async with posting() as post:
        if communication.key.reveal():
            signer: Signer = KeySigner(communication.key)
        else:
            signer = IdentitySigner(Identity(post, RESOURCE, os.environ if environ is None else environ))
        yield CommunicationMailer(post, communication, signer)


def written(mail: Mail, sender: str) -> dict[str, Any]:
    """Write a mail as Communication Services want it; no clicks or openings are watched."""
    return {
        "senderAddress": sender,
        "recipients": {"to": [{"address": mail.email, "displayName": mail.name}]},
        "content": {"subject": mail.subject, "plainText": mail.text, **({"html": mail.html} if mail.html else {})},
        "headers": {
            "Message-ID": mail.message_id,
            "Content-Language": mail.language,
            "Auto-Submitted": "auto-generated",
            **unsubscribing(mail),
        },
        "userEngagementTrackingDisabled": True,
    }


def _translated(answer: Answer, mail: Mail) -> MailNotSent | MailRefused | MailerMisused:
    said = told(answer.text[:_LONGEST], mail)
    text = f"mail {mail.message_id}: Communication Services answered {answer.status}: {said}"
    if answer.status == 429 or answer.status >= 500:
        return MailNotSent(text, hint="it is sent again", after=seconds(answer.headers.get("Retry-After", "")))
    if answer.status in _REFUSED and not any(word in _code(answer) for word in _OURS):
        return MailRefused(text)
    return MailerMisused(text, hint=_CHECK)


def _code(answer: Answer) -> str:
    """Read the code of an error, in lower case."""
    try:
        found = msgspec.json.decode(answer.text)
    except msgspec.DecodeError:
        return ""
    error = found.get("error") if isinstance(found, dict) else None
    return str(error.get("code", "")).lower() if isinstance(error, dict) else ""
