"""Measure B18: the check of a system."""

import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.check.town import write
from bench.outcome import Effort, Outcome
from bench.report import Comparison, Section
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target, estimate, ratios
from shoal.cli.checking.check import Check
from shoal.operating import project
from shoal.operating.where import Project

FEW, MANY = 10, 1000
ROUNDS, MOST = 9, 20
"""Rounds, and checks of one system in each at most."""
ROOT = Path(__file__).parents[2]

ABOUT = """
What `shoal check` does once the system is imported, in a process that is warm: the source is read and parsed, the plan
is made, all rules are asked. As it is typed, the interpreter starts, and `shoal`, the shop and the libraries of both
are imported, too. All figures are of processor time, since others use the machine. Each service of the large systems is
a file of sixty lines with a contract, an event, a record and two handlers; five call each other in a chain. Checks of
ten services are compared with one of a thousand: a ratio of 1 is growth in a straight line.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """Checks one project, again and again."""

    name: str
    size: int
    root: Path
    system: str
    """``module:attribute``."""

    async def run(self, operations: int) -> Sample:
        """Check so many services, and nothing else: reading the declarations is not measured."""
        where = Project(root=self.root, system=self.system)
        seconds, cpu = 0.0, 0
        times = max(1, min(MOST, operations // self.size))
        check, system = Check(where), project.read(where)
        for _ in range(times):
            clock, spent = time.perf_counter(), time.process_time_ns()
            check.of(system)
            seconds, cpu = seconds + time.perf_counter() - clock, cpu + time.process_time_ns() - spent
        return Sample(operations=times * self.size, seconds=seconds, cpu_ns=cpu)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """Types the command, a new process each time."""

    name: str
    root: Path

    async def run(self, operations: int) -> Sample:  # noqa: ARG002 - one check, however much is asked for
        """Check once; what the process spent is what children of this one have spent since."""
        words = ("-m", "shoal.cli", "-q", "-C", str(self.root), "check")
        clock, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=self.root, env={**os.environ})
        if await process.wait():
            raise RuntimeError(f"{' '.join(words)} has ended with {process.returncode}")
        seconds, after = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Sample(operations=1, seconds=seconds, cpu_ns=int(spent * 1e9))


async def run(effort: Effort, say: Say) -> Outcome:
    """Check few services, many, and the shop, in turns."""
    with _towns() as (few, many):
        shop = Checker(name="the shop", size=10, root=ROOT, system="shop.system:system")
        amount = Amount(rounds=effort.choose(ROUNDS), operations=MANY)
        typed = Typed(name="the shop, as it is typed", root=ROOT)
        rounds = await interleave((few, many, shop, typed), amount, say)
    return Outcome(section=_section(rounds, few, many, shop, typed), rows={"check": rounds})


@contextmanager
def _towns() -> Iterator[tuple[Checker, Checker]]:
    """Write both; their modules have names of their own, since both are imported into this process."""
    with tempfile.TemporaryDirectory() as folder:
        yield _checker(Path(folder), FEW, "hamlet"), _checker(Path(folder), MANY, "town")


def _checker(folder: Path, size: int, town: str) -> Checker:
    root = write(folder / town, size, town)
    return Checker(name=f"{size:,} services", size=size, root=root, system=f"{town}.system:system")


def _section(rounds: tuple[Round, ...], few: Checker, many: Checker, shop: Checker, typed: Typed) -> Section:
    growth = ratios([r.cpu_us(many.name) for r in rounds], [r.cpu_us(few.name) for r in rounds])
    lower = {bound: Target(bound=bound, better="lower") for bound in (0.3, 2.0, 5.0)}

    def seconds(name: str, size: int) -> list[float]:
        return [size * r.cpu_us(name) / 1e6 for r in rounds]

    found = (
        Comparison(what="the shop, in seconds", ratio=estimate(seconds(shop.name, shop.size)), target=lower[0.3]),
        Comparison(what=f"{typed.name}, in seconds", ratio=estimate(seconds(typed.name, 1))),
        Comparison(what=f"{many.name}, in seconds", ratio=estimate(seconds(many.name, many.size)), target=lower[5.0]),
        Comparison(
            what=f"processor time per service, {many.name} / {few.name}", ratio=estimate(growth), target=lower[2.0]
        ),
    )
    facts = {"rounds": f"{len(rounds)}", "load average": f"median {median(r.busyness.load for r in rounds):.1f}"}
    return Section(id="B18", title="the check of a system", about=ABOUT, comparisons=found, facts=facts)
