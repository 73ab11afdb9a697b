"""``python -m tests.torture``: play the rounds, write what happened."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from shoal.testing import LiveSystem
from shoal.testing.live import start_live
from tests.torture import report
from tests.torture.beside import Beside, beside
from tests.torture.faults import FAULTS, KILLS
from tests.torture.rounds import Plan, Round, play
from tests.torture.stage import stage

ROOT = Path(__file__).parents[2]

PACE = 0.03
"""Seconds between two orders in a round of kills."""

SLOW = 0.14
"""Seconds between two orders where the broker is to lose up to a minute: 500 orders take 70 s."""

EXTRAS = (("restore",),) * 5 + (("freeze", "service"),) * 2 + (("outside", "twice"),) * 2
"""Faults of the rounds after those of kills."""


def main() -> int:
    """Read the arguments, play, write; 1 when a promise was violated."""
    chosen = _arguments()
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        root = Path(folder)
        (root / "project").mkdir()
        (root / "copies").mkdir()
        replicas = [word for text in chosen.replicas for word in ("--replicas", text)]
        shop = start_live(ROOT, "shop.system:system", root / "project", *replicas)
        try:
            played, poison, seconds = asyncio.run(_play(shop, root / "copies", chosen))
        finally:
            shop.stop()
    result = report.result(played, poison, seed=chosen.seed, seconds=seconds, replicas=chosen.replicas)
    if chosen.write:
        result = report.write(ROOT / "docs", result)
    _say(report.summary(result))
    return 0 if all(each.held for each in played) and (poison is None or poison.held) else 1


async def _play(shop: LiveSystem, copies: Path, chosen: argparse.Namespace) -> tuple[list[Round], Beside | None, float]:
    began = time.monotonic()
    played: list[Round] = []
    async with stage(shop, copies, chosen.seed) as (field, crowd):
        for plan in _plans(chosen):
            played.append(await play(plan, crowd, field))
            _say(report.line(played[-1]))
        poison = await beside(field, crowd, chosen.poison) if chosen.poison else None
        if poison is not None:
            _say(report.poison_line(poison))
    return played, poison, time.monotonic() - began


def _plans(chosen: argparse.Namespace) -> Iterator[Plan]:
    kinds = [KILLS] * chosen.rounds + (list(EXTRAS) if chosen.rounds else [])
    if chosen.only:
        kinds = [tuple(chosen.only)] * chosen.rounds
    for number, faults in enumerate(kinds, 1):
        slow = "restore" in faults
        yield Plan(
            number=number,
            seed=chosen.seed,
            orders=chosen.orders,
            seconds=chosen.orders * (SLOW if slow else PACE),
            faults=faults,
            after=chosen.orders * SLOW / 2 if slow else 0.0,
        )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="rounds of kills; others follow them")
    parser.add_argument("--orders", type=int, default=500, help="orders of each round")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="draws times, victims and orders")
    parser.add_argument("--only", nargs="+", choices=sorted(FAULTS), help="these faults in every round, no others")
    parser.add_argument("--replicas", nargs="+", default=[], metavar="SERVICE=N", help="as shoal run takes them")
    parser.add_argument("--poison", type=int, default=210, help="orders of each of four parts beside poison; 0: none")
    parser.add_argument("--write", action="store_true", help="write docs/torture.json and docs/torture.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
