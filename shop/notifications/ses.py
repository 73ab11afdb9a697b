"""Mail by Amazon SES, version 2 of its API: the only file that imports Amazon's client.

Sources: Amazon SES API v2, "SendEmail"; Amazon SES Developer Guide, "Amazon SES header fields", "Suppression list".
SES takes a mail to an address of its suppression list, and tells of it later in an event of its own, with our tag.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004 - its name there

from shoal import Secret
from shop.notifications.mailer import Mail, MailerMisused, MailNotSent, MailRefused, told
from shop.notifications.mime import render
from shop.notifications.waiting import seconds

TIMEOUT = 10.0
"""Seconds for an answer."""

_NOT_NOW = frozenset({"TooManyRequestsException", "LimitExceededException", "Throttling", "ThrottlingException"})
"""Too fast, or the day's quota is used up: nothing was sent."""

_REFUSED = frozenset({"BadRequestException", "MessageRejected"})

_UNVERIFIED = "not verified"
"""Stands in a `MessageRejected` for a sender, or an account, that may not send yet."""

_CHECK = "check NOTIFICATIONS__SES_ACCESS_KEY, NOTIFICATIONS__SES_SECRET_KEY and NOTIFICATIONS__SES_REGION"

_NO_TAG = re.compile(r"[^A-Za-z0-9_-]")


class Ses(msgspec.Struct, frozen=True, kw_only=True):
    """Where SES is, and in whose name mail goes out."""

    sender: str
    region: str = ""
    """Empty for that of the environment."""
    url: str = ""
    """Empty for Amazon's own."""
    access_key: str = ""
    """Empty for the role of the machine."""
    secret_key: Secret = Secret("")


class SesMailer:
    """Implements `Mailer`; one instance serves many tasks."""

    def __init__(self, client: Any, sender: str) -> None:
        self._client, self._sender = client, sender

    async def send(self, mail: Mail) -> None:
        """Hand a mail over."""
        message = render(mail, self._sender)
        tag = _NO_TAG.sub("_", mail.message_id.strip("<>"))[:256]
        try:
            await self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [mail.email]},
                Content={"Raw": {"Data": message.as_bytes()}},
                EmailTags=[{"Name": "mail", "Value": tag}],
            )
        except ClientError as error:
            raise _translated(error.response, mail) from error
        except (ConnectionError, HTTPClientError, OSError, TimeoutError) as error:
            raise MailNotSent(
                f"mail {mail.message_id} may not have gone out: {told(error, mail)}", hint="it is sent again"
            ) from error
        except BotoCoreError as error:
            raise MailerMisused(f"SES cannot be asked to send {mail.message_id}: {error}", hint=_CHECK) from error


@asynccontextmanager
async def opened(ses: Ses) -> AsyncIterator[SesMailer]:
    """Keep connections to SES open. Nothing is repeated below us: the event is tried again."""
    config = AioConfig(
        connect_timeout=TIMEOUT / 4, read_timeout=TIMEOUT, retries={"total_max_attempts": 1}, tcp_keepalive=True
    )
    making = get_session().create_client(
        "sesv2",
        region_name=ses.region or None,
        endpoint_url=ses.url or None,
        aws_access_key_id=ses.access_key or None,
        aws_secret_access_key=ses.secret_key.reveal() or None,
        config=config,
    )
    try:
        client = await making.__aenter__()
    except BotoCoreError as error:
        raise MailerMisused(f"SES cannot be asked: {error}", hint=_CHECK) from error
    try:
        yield SesMailer(client, ses.sender)
    finally:
        await making.__aexit__(None, None, None)


def _translated(response: Mapping[str, Any], mail: Mail) -> MailNotSent | MailRefused | MailerMisused:
    error, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, said, status = str(error.get("Code", "")), str(error.get("Message", "")), int(meta.get("HTTPStatusCode", 0))
    text = f"mail {mail.message_id}: SES answered {status} {code}: {told(said, mail)}"
    if code in _NOT_NOW or status == 429 or status >= 500:
        after = seconds(meta.get("HTTPHeaders", {}).get("retry-after", ""))
        return MailNotSent(text, hint="it is sent again", after=after)
    if code in _REFUSED and _UNVERIFIED not in said:
        return MailRefused(text)
    return MailerMisused(text, hint="look at the account, its keys and its sender; then `shoal dlq replay`")
