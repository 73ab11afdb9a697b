"""Measure B19: what a month costs."""

import time
from dataclasses import dataclass, field
from statistics import median

from bench.growth.run import FEW, MANY, ring
from bench.outcome import Effort, Outcome
from bench.report import Comparison, Section
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target, estimate, ratios
from shoal.cost import render
from shoal.cost.bill import bill
from shoal.cost.clouds import CLOUDS
from shoal.cost.comparison import alike, ways
from shoal.cost.month import Month
from shoal.cost.prices import packaged
from shoal.cost.usage import Usage
from shoal.model.system import System
from shoal.service.describe import describe
from shop.system import system as shop

ROUNDS = 9

ABOUT = """
From a declared system to what `shoal cost -o json` tells of it on AWS: the plan, resources, items, prices, what each
operation costs, and the advice, which prices everything once for each change. Growth is measured as for the mesh: a
hundred systems of ten services against one of a thousand. The comparison has every cloud that is known, without servers
and on Kubernetes.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """Prices one system, again and again."""

    name: str
    size: int
    system: System = field(repr=False)
    most: int = MANY
    """Bills of one round at most."""
    side_by_side: bool = False

    async def run(self, operations: int) -> Sample:
        """Price so many services, one system after the other."""
        clock, cpu = time.perf_counter(), time.process_time_ns()
        times = min(self.most, operations // self.size)
        for _ in range(times):
            self._compare() if self.side_by_side else self._bill()
        spent = time.perf_counter() - clock, time.process_time_ns() - cpu
        return Sample(operations=times * self.size, seconds=spent[0], cpu_ns=spent[1])

    def _bill(self) -> None:
        cloud, environment = CLOUDS["aws"], CLOUDS["aws"].environments[-1]
        planned, table = cloud.plan(self.system, environment), packaged("aws", environment.region)
        resources, month = cloud.resources(planned, environment), Month(planned, Usage())
        render.document(bill(cloud, resources, month, table))

    def _compare(self) -> None:
        for cloud in CLOUDS.values():
            environment = cloud.environments[-1]
            table = packaged(cloud.name, environment.region)
            for way in ways(cloud, environment, self.system, Usage(), table, alike(environment)):
                way.sums()


async def run(effort: Effort, say: Say) -> Outcome:
    """Price few services, many, and the shop, in turns."""
    few, many = (Estimator(name=f"{size:,} services", size=size, system=ring(size)) for size in (FEW, MANY))
    declared = describe(shop)
    size = len(declared.services)
    whole = Estimator(name="the shop", size=size, system=declared, most=5)
    all_ways = Estimator(name="the shop, compared", size=size, system=declared, most=5, side_by_side=True)
    rounds = await interleave((few, many, whole, all_ways), Amount(rounds=effort.choose(ROUNDS), operations=MANY), say)
    return Outcome(section=_section(rounds, few.name, many.name, (whole, all_ways)), rows={"price": rounds})


def _section(rounds: tuple[Round, ...], few: str, many: str, sides: tuple[Estimator, Estimator]) -> Section:
    growth = ratios([r.cpu_us(many) for r in rounds], [r.cpu_us(few) for r in rounds])
    bill, compared = ([side.size / r.rate(side.name) for r in rounds] for side in sides)
    target = Target(bound=0.2, better="lower")
    return Section(
        id="B19",
        title="what a month costs",
        about=ABOUT,
        comparisons=(
            Comparison(
                what=f"processor time per service, {many} / {few}",
                ratio=estimate(growth),
                target=Target(bound=2.0, better="lower"),
            ),
            Comparison(what="the shop, in seconds", ratio=estimate(bill), target=target),
            Comparison(what="the shop on every cloud, in seconds", ratio=estimate(compared), target=target),
        ),
        facts={
            "clouds": ", ".join(CLOUDS),
            "rounds": f"{len(rounds)}",
            "load average": f"median {median(r.busyness.load for r in rounds):.1f}",
        },
    )
