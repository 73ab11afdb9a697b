"""Open the door: ``python -m shoal.local.objects SETTINGS``."""

import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from shoal.drivers.folder import door
from shoal.local.objects.server import Porter
from shoal.local.objects.settings import Settings

_LOOPBACK = "127.0.0.1"


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    porter = Porter({service: door(url) for service, url in settings.folders.items()})
    server = await asyncio.start_server(porter.serve, _LOOPBACK, settings.port)
    await stop.wait()
    server.close()


def main() -> None:
    """Read the settings and serve."""
    asyncio.run(_run(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Settings)))


if __name__ == "__main__":
    main()
