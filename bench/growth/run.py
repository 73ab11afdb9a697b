"""Measure the mesh's part of B11."""

import time
from dataclasses import dataclass, field
from statistics import median

from bench.outcome import Effort, Outcome
from bench.report import Comparison, Section
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target, estimate, ratios
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import layout_for
from shoal.model.plan import plan
from shoal.model.service import Access, Call, Endpoint, Parameter, Service
from shoal.model.system import System
from shoal.model.target import Target as Place

FEW, MANY = 10, 1000
ROUNDS = 15

ABOUT = """
From a declared system to every file that Envoy reads: the plan, then listeners, routes, clusters, policies and secrets'
references. Each service has one endpoint and calls the next service. Both sides compile a thousand services in all: a
hundred systems of ten, and one of a thousand. A ratio of 1 is growth in a straight line.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """Compiles systems of one size."""

    size: int
    system: System = field(repr=False)

    @property
    def name(self) -> str:
        """Say how large each system is."""
        return f"{self.size:,} services"

    async def run(self, operations: int) -> Sample:
        """Compile so many services, one system after the other."""
        clock, cpu = time.perf_counter(), time.process_time_ns()
        for _ in range(operations // self.size):
            planned = plan(self.system, Place())
            compile_mesh(planned, layout_for(planned, root="/r"))
        return Sample(operations=operations, seconds=time.perf_counter() - clock, cpu_ns=time.process_time_ns() - cpu)


def ring(size: int) -> System:
    """Declare services of which each calls the next, and the first of which is exposed."""
    return System(name="ring", services=tuple(_service(index, size) for index in range(size)))


def _service(index: int, size: int) -> Service:
    access = Access(kind="anyone" if index == 0 else "internal")
    work = Endpoint(
        name="work",
        method="GET",
        path=f"/r{index}/work/{{item}}",
        access=access,
        parameters=(Parameter(name="item", place="path", schema={}),),
    )
    call = Call(service=f"r{(index + 1) % size}", endpoint="work")
    return Service(name=f"r{index}", entry=f"r{index}:r{index}", endpoints=(work,), calls=(call,))


async def run(effort: Effort, say: Say) -> Outcome:
    """Compile few and many services, in turns."""
    few, many = (Compiler(size=size, system=ring(size)) for size in (FEW, MANY))
    rounds = await interleave((few, many), Amount(rounds=effort.choose(ROUNDS), operations=MANY), say)
    return Outcome(section=_section(rounds, few.name, many.name), rows={"compile": rounds})


def _section(rounds: tuple[Round, ...], few: str, many: str) -> Section:
    growth = ratios([r.cpu_us(many) for r in rounds], [r.cpu_us(few) for r in rounds])
    seconds = [MANY / r.rate(many) for r in rounds]
    return Section(
        id="B11",
        title="the mesh's configuration from ten services to a thousand",
        about=ABOUT,
        comparisons=(
            Comparison(
                what=f"processor time per service, {many} / {few}",
                ratio=estimate(growth),
                target=Target(bound=2.0, better="lower"),
            ),
            Comparison(what=f"{many}, in seconds", ratio=estimate(seconds), target=Target(bound=3.0, better="lower")),
        ),
        facts={"rounds": f"{len(rounds)}", "load average": f"median {median(r.busyness.load for r in rounds):.1f}"},
    )
