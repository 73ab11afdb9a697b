"""Run the dashboard: ``python -m shoal.dashboard SETTINGS``."""

import asyncio
import sys
from pathlib import Path

import msgspec

from shoal.dashboard.process import serve
from shoal.local.dashboard import Settings


def main() -> None:
    """Read the settings and serve."""
    asyncio.run(serve(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Settings)))


if __name__ == "__main__":
    main()
