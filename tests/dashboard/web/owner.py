"""Opens the dashboard of a running system, as the link does that `shoal run` prints."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shoal.testing import LiveSystem
from tests.dashboard.web.serving import Guarded

SLOW = 30_000
"""Milliseconds that something may take in the system before it is on a page."""


@contextmanager
def owner(live: LiveSystem, browser: Any, expected: tuple[str, ...] = ()) -> Iterator[Guarded]:
    """Come with the link; afterwards nothing may have gone wrong in the pages but for what is `expected`."""
    token = (live.root / ".shoal" / "secrets" / "dashboard").read_text("utf-8").strip()
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(SLOW)
    found = Guarded(page=context.new_page(), url=live.process("dashboard").address, expected=expected)
    found.watch()
    found.page.goto(f"{found.url}/map?token={token}")
    yield found
    troubles = found.troubles
    context.close()
    assert not troubles, troubles
