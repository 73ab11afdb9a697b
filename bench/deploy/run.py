"""Measure B16: manifests for Kubernetes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from bench.deploy import memory, rival
from bench.growth.run import FEW, MANY, ring
from bench.outcome import Effort, Outcome
from bench.report import Comparison, Section
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target, estimate, ratios
from shoal.deploy.kubernetes.compile import compile_kubernetes
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import ENVIRONMENTS
from shoal.deploy.kubernetes.target import target
from shoal.model.artifact import Artifact
from shoal.model.plan import plan
from shoal.model.system import System
from shoal.service.describe import describe
from shop.system import system as shop

ROUNDS = 9

ABOUT = """
From a declared system to every file that `shoal deploy kubernetes` writes for three environments: the plan, workloads,
policies, routes, engines, secrets' names, images. Growth is measured as for the mesh: a hundred systems of ten services
against one of a thousand. The shop has ten services on six kinds of engines. cdk8s gets the shop's objects ready made,
and makes a construct of each and the YAML of all, in a process that is warm: one construct and one patch for an object
is the cheapest way that it has from Python. It decides nothing, and writes no comments, kustomizations, images and
pages, which Shoal does in its time. Its YAML must hold the same objects before anything is timed.
"""
MOST_MEMORY = 300
"""Megabytes of the process that compiles a thousand services."""


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
            self.write()
        spent = time.perf_counter() - clock, time.process_time_ns() - cpu
        return Sample(operations=times * self.size, seconds=spent[0], cpu_ns=spent[1])

    def write(self) -> tuple[Artifact, ...]:
        """Compile the system once, from its declaration."""
        planned = plan(self.system, target(self.system, ENVIRONMENTS[0]))
        return compile_kubernetes(Scope(plan=planned, environments=ENVIRONMENTS))


async def run(effort: Effort, say: Say) -> Outcome:
    """Compile few services, many, and the shop, in turns; the shop's objects by cdk8s, too, where that is here."""
    few, many = (Writer(name=f"{size:,} services", size=size, system=ring(size)) for size in (FEW, MANY))
    declared = describe(shop)
    whole = Writer(name="the shop", size=len(declared.services), system=declared, most=5)
    with _other(whole, say) as other:
        rounds = await interleave(
            (few, many, whole, *other), Amount(rounds=effort.choose(ROUNDS), operations=MANY), say
        )
    return Outcome(section=_section(rounds, few.name, many.name, whole), rows={"write": rounds})


@contextmanager
def _other(whole: Writer, say: Say) -> Iterator[tuple[rival.Cdk8s, ...]]:
    if reason := rival.absence():
        say(f"not compared with cdk8s: {reason}")
        yield ()
        return
    with rival.started(rival.objects(whole.write()), size=whole.size, most=whole.most) as side:
        yield (side,)


def _section(rounds: tuple[Round, ...], few: str, many: str, whole: Writer) -> Section:
    growth = ratios([r.cpu_us(many) for r in rounds], [r.cpu_us(few) for r in rounds])
    seconds = [whole.size / r.rate(whole.name) for r in rounds]
    lower = {bound: Target(bound=bound, better="lower") for bound in (0.2, 0.3, 2.0, MOST_MEMORY)}
    found = [
        Comparison(what=f"processor time per service, {many} / {few}", ratio=estimate(growth), target=lower[2.0]),
        Comparison(
            what=f"{many}, memory in MB",
            ratio=estimate([memory.measured(MANY) for _ in range(3)]),
            target=lower[MOST_MEMORY],
        ),
        Comparison(what="the shop, in seconds", ratio=estimate(seconds), target=lower[0.3]),
    ]
    if "cdk8s" in rounds[0].samples:
        clock = ratios([r.rate("cdk8s") for r in rounds], [r.rate(whole.name) for r in rounds])
        work = ratios([r.cpu_us(whole.name) for r in rounds], [r.cpu_us("cdk8s") for r in rounds])
        what = "the shop, Shoal / cdk8s for the same objects"
        found.append(Comparison(what=f"{what}, by the clock", ratio=estimate(clock), target=lower[0.2]))
        found.append(Comparison(what=f"{what}, by processor time", ratio=estimate(work), target=lower[0.2]))
    facts = {"rounds": f"{len(rounds)}", "load average": f"median {median(r.busyness.load for r in rounds):.1f}"}
    if reason := rival.absence():
        facts["not compared with cdk8s"] = reason
    return Section(id="B16", title="manifests for Kubernetes", about=ABOUT, comparisons=tuple(found), facts=facts)
