"""Measure B20: what is written for the clouds."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

from bench.growth.run import FEW, MANY, ring
from bench.outcome import Effort, Outcome
from bench.report import Comparison, Section
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target, estimate, ratios
from shoal.deploy.aws import settings as aws
from shoal.deploy.aws import target as on_aws
from shoal.deploy.aws.compile import compile_aws
from shoal.deploy.aws.scope import Scope as AwsScope
from shoal.deploy.azure import settings as azure
from shoal.deploy.azure import target as on_azure
from shoal.deploy.azure.compile import compile_azure
from shoal.deploy.azure.scope import Scope as AzureScope
from shoal.deploy.gcp import settings as gcp
from shoal.deploy.gcp import target as on_gcp
from shoal.deploy.gcp.compile import compile_gcp
from shoal.deploy.gcp.scope import Scope as GcpScope
from shoal.drivers.valkey.cache import CLUSTER_COMMANDS, COMMANDS
from shoal.model.artifact import Artifact
from shoal.model.system import System
from shoal.service.describe import describe
from shop.system import system as shop

ROUNDS = 9

ABOUT = """
From a declared system to every file that `shoal deploy aws`, `azure` and `gcp` write for their production: the plan,
resources, Terraform, Bicep, Knative's YAML, templates, policies, pages; and for the shop likewise for both environments
that each writes when nobody says anything else. Growth is measured as for the mesh: a hundred systems of ten services
against one of a thousand. What a month of it costs is B19.
"""


def _aws(system: System, last: int) -> tuple[Artifact, ...]:
    commands = (*COMMANDS, *CLUSTER_COMMANDS)
    return compile_aws(
        AwsScope(plan=on_aws.planned(system, one), environment=one, valkey=commands) for one in aws.ENVIRONMENTS[last:]
    )


def _azure(system: System, last: int) -> tuple[Artifact, ...]:
    return compile_azure(
        AzureScope(plan=on_azure.planned(system, one), environment=one) for one in azure.ENVIRONMENTS[last:]
    )


def _gcp(system: System, last: int) -> tuple[Artifact, ...]:
    return compile_gcp(GcpScope(plan=on_gcp.planned(system, one), environment=one) for one in gcp.ENVIRONMENTS[last:])


CLOUDS: Mapping[str, Callable[[System, int], tuple[Artifact, ...]]] = {"aws": _aws, "azure": _azure, "gcp": _gcp}


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Compiles one system for clouds, again and again."""

    name: str
    size: int
    system: System = field(repr=False)
    clouds: tuple[str, ...] = tuple(CLOUDS)
    first: int = -1
    """Of the environments; 0 for all of them."""
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

    def write(self) -> list[Artifact]:
        """Compile the system once, from its declaration."""
        return [artifact for cloud in self.clouds for artifact in CLOUDS[cloud](self.system, self.first)]


async def run(effort: Effort, say: Say) -> Outcome:
    """Write few services, many, and the shop, in turns."""
    few, many = (Writer(name=f"{size:,} services", size=size, system=ring(size)) for size in (FEW, MANY))
    declared = describe(shop)
    size = len(declared.services)
    whole = Writer(name="the shop", size=size, system=declared, first=0, most=5)
    each = [Writer(name=cloud, size=size, system=declared, clouds=(cloud,), first=0, most=5) for cloud in CLOUDS]
    amount = Amount(rounds=effort.choose(ROUNDS), operations=MANY)
    rounds = await interleave((few, many, whole, *each), amount, say)
    return Outcome(section=_section(rounds, few, many, whole, each), rows={"write": rounds})


def _section(rounds: tuple[Round, ...], few: Writer, many: Writer, whole: Writer, each: list[Writer]) -> Section:
    def seconds(writer: Writer) -> list[float]:
        return [writer.size / r.rate(writer.name) for r in rounds]

    growth = ratios([r.cpu_us(many.name) for r in rounds], [r.cpu_us(few.name) for r in rounds])
    found = (
        Comparison(
            what="the shop for all clouds, in seconds",
            ratio=estimate(seconds(whole)),
            target=Target(bound=0.5, better="lower"),
        ),
        *(Comparison(what=f"the shop for {one.name}, in seconds", ratio=estimate(seconds(one))) for one in each),
        Comparison(
            what=f"processor time per service, {many.name} / {few.name}",
            ratio=estimate(growth),
            target=Target(bound=2.0, better="lower"),
        ),
        Comparison(what=f"{many.name} for all clouds, in seconds", ratio=estimate(seconds(many))),
    )
    facts = {
        "files of the shop": f"{len(whole.write()):,}",
        "rounds": f"{len(rounds)}",
        "load average": f"median {median(r.busyness.load for r in rounds):.1f}",
    }
    return Section(id="B20", title="what is written for the clouds", about=ABOUT, comparisons=found, facts=facts)
