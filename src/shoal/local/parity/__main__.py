"""Run a comparison: ``python -m shoal.local.parity SETTINGS.json``."""

import sys
from pathlib import Path

import msgspec

from shoal.local.parity.server import Settings, serve

if __name__ == "__main__":
    serve(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Settings))
