"""Restart a broker that says of itself that it cannot go on.

After an error of the file system, such as a full disk, NATS freezes the stream that met it until the server is
restarted, and says so at ``/healthz`` (NATS 2.14). A server that says nothing may only be slow, and is left alone.
"""

import asyncio
import signal
from collections.abc import Callable
from urllib.parse import urlsplit

from shoal.local.probe import get
from shoal.local.unit import Unit

EVERY = 1.0
"""Seconds between two looks."""

ANSWER_SECONDS = 1.0

OFTEN = 5
"""Looks in a row that find it sick before it is restarted; a server that is starting says so too."""

_WELL = 200


async def watch_health(monitoring: Callable[[], int], restart: Callable[[str], None]) -> None:
    """Ask for ever how the server is.

    Args:
        monitoring: Its monitoring port by now; 0 while it does not run.
        restart: Called with what the server said when it was sick for some seconds.
    """
    sick = 0
    while True:
        await asyncio.sleep(EVERY)
        said = await _complaint(monitoring())
        sick = sick + 1 if said else 0
        if sick >= OFTEN:
            sick = 0
            restart(said)


async def keep_healthy(broker: Unit, say: Callable[[str], None]) -> None:
    """Restart a broker for ever when it says that it cannot go on, and `say` so."""

    def monitoring() -> int:
        return urlsplit(broker.addresses.get("monitoring", "")).port or 0 if broker.ready else 0

    def restart(said: str) -> None:
        say(f"says that it is not healthy, and is restarted: {said}")
        if broker.process is not None:
            broker.process.send(signal.SIGTERM)

    await watch_health(monitoring, restart)


async def _complaint(port: int) -> str:
    """Return what a server says that is not well; nothing when it is, or does not answer."""
    if not port:
        return ""
    try:
        answer = await get(port, "/healthz", within=ANSWER_SECONDS)
    except (OSError, EOFError, TimeoutError):
        return ""
    return "" if answer.status == _WELL else " ".join(answer.body.decode("utf-8", "replace").split())[:300]
