"""Run a mailbox: ``python -m shoal.local.mailbox --smtp-port N --http-port N --directory D``."""

import argparse
import asyncio
import signal
from pathlib import Path

from shoal.local.mailbox.page import Page
from shoal.local.mailbox.smtp import listen
from shoal.local.mailbox.store import FILE, Store

_LOOPBACK = "127.0.0.1"


async def serve(smtp_port: int, http_port: int, directory: Path) -> None:
    """Take and show mail until SIGTERM or SIGINT."""
    store = Store(directory / FILE)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    smtp = await listen(store, _LOOPBACK, smtp_port)
    http = await asyncio.start_server(Page(store).serve, _LOOPBACK, http_port)
    await stop.wait()
    smtp.close()
    http.close()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="shoal.local.mailbox", description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.smtp_port, arguments.http_port, arguments.directory))


if __name__ == "__main__":
    main()
