"""``python -m tests.torture``: play the rounds, write what happened."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from shoal.testing.live import start_live
from tests.torture import report
from tests.torture.beside import beside
from tests.torture.clients import Crowd
from tests.torture.faults import FAULTS, KILLS, Field
from tests.torture.rounds import Plan, Round, play
from tests.torture.stage import stage

T = TypeVar("T")

ROOT = Path(__file__).parents[2]

PACE = 0.03
"""Seconds between two orders in a round of kills."""

SLOW = 0.14
"""Seconds between two orders where the broker is to lose up to a minute: 500 orders take 70 s."""

OF_A_SHOP = 5
"""Rounds that one shop lives through; then a fresh one opens, since audits follow every event from the opening on."""

EXTRAS = (("restore",),) * 5 + (("freeze", "service"),) * 2 + (("outside", "twice"),) * 2
"""Faults of the rounds after those of kills."""


def main() -> int:
    """Read the arguments, play, write after each shop; 1 when a promise was violated."""
    chosen, began = _arguments(), time.monotonic()
    result = report.result(seed=chosen.seed, replicas=chosen.replicas)
    plans = _plans(chosen)
    for first in range(0, len(plans), OF_A_SHOP):
        played = _in_a_shop(chosen, partial(_play, plans[first : first + OF_A_SHOP]))
        seconds = round(time.monotonic() - began, 1)
        result = msgspec.structs.replace(result, rounds=(*result.rounds, *played), seconds=seconds)
        _write(chosen, result)
    if chosen.poison:
        poison = _in_a_shop(chosen, lambda field, crowd: beside(field, crowd, chosen.poison))
        _say(report.poison_line(poison))
        result = msgspec.structs.replace(result, poison=poison, seconds=round(time.monotonic() - began, 1))
        _write(chosen, result)
    _say(report.summary(result))
    return 0 if report.held(result) else 1


def _in_a_shop(chosen: argparse.Namespace, work: Callable[[Field, Crowd], Awaitable[T]]) -> T:
    """Open a fresh shop, do something to it, and close it."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        root = Path(folder)
        (root / "project").mkdir()
        (root / "copies").mkdir()
        replicas = [word for text in chosen.replicas for word in ("--replicas", text)]
        shop = start_live(ROOT, "shop.system:system", root / "project", *replicas)

        async def run() -> T:
            async with stage(shop, root / "copies", chosen.seed) as (field, crowd):
                return await work(field, crowd)

        try:
            return asyncio.run(run())
        finally:
            shop.stop()


async def _play(plans: Sequence[Plan], field: Field, crowd: Crowd) -> list[Round]:
    played: list[Round] = []
    for plan in plans:
        played.append(await play(plan, crowd, field))
        _say(report.line(played[-1]))
    return played


def _plans(chosen: argparse.Namespace) -> list[Plan]:
    kinds = [KILLS] * chosen.rounds + (list(EXTRAS) if chosen.rounds else [])
    if chosen.only:
        kinds = [tuple(chosen.only)] * chosen.rounds
    return [_plan(chosen, number, faults) for number, faults in enumerate(kinds)]


def _plan(chosen: argparse.Namespace, number: int, faults: tuple[str, ...]) -> Plan:
    slow = "restore" in faults
    return Plan(
        number=number + 1,
        shop=number // OF_A_SHOP + 1,
        seed=chosen.seed,
        orders=chosen.orders,
        seconds=chosen.orders * (SLOW if slow else PACE),
        faults=faults,
        after=chosen.orders * SLOW / 2 if slow else 0.0,
    )


def _write(chosen: argparse.Namespace, result: report.Result) -> None:
    if chosen.write:
        report.write(ROOT / "docs", result)


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
