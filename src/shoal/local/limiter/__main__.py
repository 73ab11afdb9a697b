"""Run a limiter: ``python -m shoal.local.limiter SETTINGS``."""

import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from shoal.local.limiter.server import serve
from shoal.local.limiter.settings import Settings


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, stop)


def main() -> None:
    """Read the settings and serve."""
    asyncio.run(_run(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Settings)))


if __name__ == "__main__":
    main()
