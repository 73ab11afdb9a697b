"""Measure B16: manifests for Kubernetes."""

import time
from dataclasses import dataclass, field
from statistics import median

from bench.growth.run import FEW, MANY, ring
from bench.outcome import Effort, Outcome
from bench.report import Comparison, Section
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target, estimate, ratios
from shoal.deploy.kubernetes.compile import compile_kubernetes
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import ENVIRONMENTS
from shoal.deploy.kubernetes.target import target
from shoal.model.plan import plan
from shoal.model.system import System
from shoal.service.describe import describe
from shop.system import system as shop

ROUNDS = 9

ABOUT = """
From a declared system to every file that `shoal deploy kubernetes` writes for three environments: the plan, workloads,
policies, routes, engines, secrets' names, images. Growth is measured as for the mesh: a hundred systems of ten services
against one of a thousand. The shop has ten services on six kinds of engines.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Compiles one system, again and again."""

    name: str
    size: int
    system: System = field(repr=False)
    most: int = MANY
    """Compilations of one round at most."""

    async def run(self, operations: int) -> Sample:
        """Compile so many services, one system after the other."""
        clock, cpu = time.perf_counter(), time.process_time_ns()
        times = min(self.most, operations // self.size)
        for _ in range(times):
            planned = plan(self.system, target(self.system, ENVIRONMENTS[0]))
            compile_kubernetes(Scope(plan=planned, environments=ENVIRONMENTS))
        spent = time.perf_counter() - clock, time.process_time_ns() - cpu
        return Sample(operations=times * self.size, seconds=spent[0], cpu_ns=spent[1])


async def run(effort: Effort, say: Say) -> Outcome:
    """Compile few services, many, and the shop, in turns."""
    few, many = (Writer(name=f"{size:,} services", size=size, system=ring(size)) for size in (FEW, MANY))
    declared = describe(shop)
    whole = Writer(name="the shop", size=len(declared.services), system=declared, most=5)
    rounds = await interleave((few, many, whole), Amount(rounds=effort.choose(ROUNDS), operations=MANY), say)
    return Outcome(section=_section(rounds, few.name, many.name, whole), rows={"write": rounds})


def _section(rounds: tuple[Round, ...], few: str, many: str, whole: Writer) -> Section:
    growth = ratios([r.cpu_us(many) for r in rounds], [r.cpu_us(few) for r in rounds])
    seconds = [whole.size / r.rate(whole.name) for r in rounds]
    return Section(
        id="B16",
        title="manifests for Kubernetes",
        about=ABOUT,
        comparisons=(
            Comparison(
                what=f"processor time per service, {many} / {few}",
                ratio=estimate(growth),
                target=Target(bound=2.0, better="lower"),
            ),
            Comparison(what="the shop, in seconds", ratio=estimate(seconds), target=Target(bound=0.3, better="lower")),
        ),
        facts={"rounds": f"{len(rounds)}", "load average": f"median {median(r.busyness.load for r in rounds):.1f}"},
    )
