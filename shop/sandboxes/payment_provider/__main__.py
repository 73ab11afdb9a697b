"""Run the sandbox until it is told to stop."""

import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from shop.sandboxes.payment_provider.api import Provider
from shop.sandboxes.payment_provider.ledger import Ledger
from shop.sandboxes.payment_provider.server import HOST, Server

_log = logging.getLogger("payment-provider")


def main() -> None:
    """Serve on ``$PORT`` from the ledger under ``$STATE``."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, _stop)
    state = Path(os.environ["STATE"])
    state.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(state / "ledger.sqlite3")
    with Server(int(os.environ["PORT"]), Provider(ledger)) as server:
        _log.info("payment provider on http://%s:%d", HOST, server.server_port)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            ledger.close()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
