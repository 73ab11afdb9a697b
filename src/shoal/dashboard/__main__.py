"""Run the dashboard: ``python -m shoal.dashboard SETTINGS``."""

import asyncio
import sys
from pathlib import Path

import msgspec

from shoal.dashboard.process import serve
from shoal.errors import ShoalError
from shoal.local.dashboard import Settings


def main() -> None:
    """Read the settings and serve; what is wrong is said in one line of the log."""
    try:
        asyncio.run(serve(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Settings)))
    except ShoalError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
