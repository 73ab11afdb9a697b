"""``python -m bench [B1 B3 …] [--rounds N] [--quick]``: measure, print the table, write the page."""

import argparse
import asyncio
import sys
from importlib import import_module
from pathlib import Path

from bench.machine import facts
from bench.outcome import Bench, Effort, keep, kept
from bench.report import page, summary

BENCHES = {
    "B1": "bench.edge.run",
    "B2": "bench.hops.run",
    "B3": "bench.handler.run",
    "B4": "bench.telemetry.run",
    "B5": "bench.durable.run",
    "B6": "bench.relay.run",
    "B7": "bench.consumer.run",
    "B8": "bench.saga.run",
    "B9": "bench.start.run",
    "B10": "bench.hops.overload",
    "B11": "bench.growth.run",
    "B12": "bench.reload.run",
    "B13": "bench.cache.run",
    "B14": "bench.warehouse.run",
    "B15": "bench.drivers.run",
    "B16": "bench.deploy.run",
    "B17": "bench.dashboard.pages",
    "B18": "bench.check.run",
    "B19": "bench.cost.run",
    "B20": "bench.clouds.run",
    "B21": "bench.dashboard.size",
}
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def _bench(name: str) -> Bench:
    run: Bench = import_module(BENCHES[name]).run  # imported when wanted: each has dependencies of its own
    return run


def _write() -> None:
    """Write the page from what was kept; it names what was never measured."""
    found = {name: result for name in BENCHES if (result := kept(name)) is not None}
    missing = ", ".join(name for name in BENCHES if name not in found)
    machine = facts() | {"measured": ", ".join(f"{name} {result.when}" for name, result in found.items())}
    machine["processor"] = "; ".join(
        f"{model} ({', '.join(name for name, result in found.items() if result.processor == model)})"
        for model in dict.fromkeys(result.processor for result in found.values())
    )
    if missing:
        machine["never measured here"] = missing
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page([result.section for result in found.values()], machine), "utf-8")
    print(f"wrote {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}")


def main() -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="B3", help=f"some of {', '.join(BENCHES)}; all when left out")
    parser.add_argument("--rounds", type=int, help="replace every benchmark's own number")
    parser.add_argument("--quick", action="store_true", help="see that it works; nothing is kept")
    arguments = parser.parse_args()
    names = arguments.names or [*BENCHES]
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}")
    effort = Effort(rounds=arguments.rounds, quick=arguments.quick)
    sections = []
    for name in names:
        print(f"== {name}", flush=True)
        outcome = asyncio.run(_bench(name)(effort, lambda line: print(line, flush=True)))
        sections.append(outcome.section)
        if not effort.quick:
            keep(outcome)
    print("\n" + summary(sections) + "\n".join(f"{name}: {value}" for name, value in facts().items()))
    if not effort.quick:
        _write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
