"""``python -m tests.idempotency 10000``: pairs of requests under one key each, at the same time."""

import asyncio
import sys
import time

from tests.idempotency.stage import measure


def main(count: int) -> int:
    """Play pairs; 1 when an effect is missing or doubled, or an answer is wrong."""
    began = time.monotonic()
    tally, effects = asyncio.run(measure(count))
    said = f"{count} pairs in {time.monotonic() - began:.1f} s: {dict(tally.answers)}, {effects} effects"
    sys.stdout.write("\n".join([said, *tally.wrong[:20]]) + "\n")
    return 1 if tally.wrong or effects != count else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
