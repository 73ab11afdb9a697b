"""Take mail by SMTP into a store: the only file that imports aiosmtpd."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from shoal.local.mailbox.store import Delivery, Store

_OWN_NAME = "mailbox.localhost"  # said at once; the default would ask the network for it


class _Handler:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: ARG002, N802 - the name and parameters that aiosmtpd calls
        content = envelope.content or b""
        delivery = Delivery(
            sender=envelope.mail_from or "",
            to=tuple(envelope.rcpt_tos),
            content=content if isinstance(content, bytes) else content.encode(),
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        try:
            mail = self._store.add(delivery)
        except OSError as error:
            return f"452 4.3.1 cannot keep the mail: {error.strerror}"
        print(f"mail {mail.id} to {', '.join(mail.to)}: delivery {mail.deliveries}", flush=True)  # noqa: T201 - its log
        return f"250 2.0.0 kept as {mail.id}"


async def listen(store: Store, host: str, port: int) -> asyncio.Server:
    """Start taking mail."""
    loop = asyncio.get_running_loop()
    handler = _Handler(store)
    return await loop.create_server(lambda: SMTP(handler, hostname=_OWN_NAME, enable_SMTPUTF8=True), host, port)
