"""Mails that the stand-in for a mail server received."""

from pathlib import Path
from typing import Any

from shoal.dashboard.live.running import Live
from shoal.local.layout import layout_of
from shoal.local.mailbox.store import FILE, Store


def listed(live: Live, text: str = "", limit: int = 200) -> dict[str, Any]:
    """List mails, the latest first; also those of earlier runs, while nothing runs.

    Args:
        live: The system.
        text: Only those that have this in an address, the subject or the body.
        limit: At most so many.
    """
    run = live.run()
    file = _file(live.where.root)
    mails = [mail.as_json() for mail in Store(file).mails()] if file.exists() else []
    needle = text.lower()
    found = [mail for mail in reversed(mails) if not needle or needle in _words(mail)]
    url = run.urls.get("mailbox", "") if run is not None else ""
    return {"items": found[:limit], "total": len(mails), "url": url, "live": run is not None}


def _words(mail: dict[str, Any]) -> str:
    return " ".join([mail["from"], *mail["to"], mail["subject"], mail["body"]]).lower()


def _file(root: Path) -> Path:
    return layout_of(root).data / "mailbox" / FILE
