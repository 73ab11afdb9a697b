"""What the world outside the shop saw: the payment provider's own ledger and the mailbox."""

from typing import Any

import msgspec

from shoal.testing import LiveSystem
from shoal.testing.live import send


def ledger(live: LiveSystem) -> dict[str, Any]:
    """Read what the payment provider counted."""
    found: dict[str, Any] = _read(live, "payment-provider", "/_sandbox/ledger")
    return found


def mails(live: LiveSystem, address: str) -> list[dict[str, Any]]:
    """Read the e-mails to one address."""
    found: list[dict[str, Any]] = _read(live, "mailbox", "/messages")
    return [m for m in found if address in str(m["to"])]


def _read(live: LiveSystem, name: str, path: str) -> Any:
    return msgspec.json.decode(send(live.state.urls[name], "GET", path, {}, b"").body)
