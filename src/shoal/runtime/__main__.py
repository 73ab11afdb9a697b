"""``python -m shoal.runtime``: run what the ``SHOAL_*`` variables name."""

import os
import sys

from shoal.errors import ShoalError
from shoal.runtime.process import main

if __name__ == "__main__":
    try:
        main(os.environ)
    except ShoalError as error:
        sys.exit(f"error: {error}")
