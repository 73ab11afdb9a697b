"""Mails that the stand-in for a mail server received."""

from itertools import islice
from pathlib import Path
from typing import Any

from shoal.dashboard.live.running import Live
from shoal.local.layout import layout_of
from shoal.local.mailbox.store import FILE, Mail, Store

_READ: dict[Path, tuple[tuple[int, int], tuple[Mail, ...]]] = {}
"""What was read of a file, and how it was then: who looks again and again has only a changed one read."""


def listed(live: Live, text: str = "", limit: int = 200) -> dict[str, Any]:
    """List mails, the latest first; also those of earlier runs, while nothing runs.

    Args:
        live: The system.
        text: Only those that have this in an address, the subject or the body.
        limit: At most so many.
    """
    run = live.run()
    file = _file(live.where.root)
    mails, needle = _mails(file), text.lower()
    found = [mail.as_json() for mail in islice((one for one in reversed(mails) if needle in _words(one)), limit)]
    url = run.urls.get("mailbox", "") if run is not None else ""
    return {"items": found, "total": len(mails), "url": url, "live": run is not None}


def _mails(file: Path) -> tuple[Mail, ...]:
    try:
        state = file.stat()
    except OSError:
        return ()
    mark = state.st_mtime_ns, state.st_size
    if (known := _READ.get(file)) is None or known[0] != mark:
        known = _READ[file] = mark, Store(file).mails()
    return known[1]


def _words(mail: Mail) -> str:
    return " ".join([mail.sender, *mail.to, mail.subject, mail.body]).lower()


def _file(root: Path) -> Path:
    return layout_of(root).data / "mailbox" / FILE
