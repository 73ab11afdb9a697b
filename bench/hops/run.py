"""Measure B2."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import msgspec

from bench.hops.running import made, request, running
from bench.load import Order
from bench.machine import Watch
from bench.outcome import Effort, Outcome
from bench.paced import Pace, Paced
from bench.report import Comparison, Section, Table
from bench.rounds import MOST_STEAL, Say
from bench.statistics import Target, estimate, palindrome
from bench.workers import Worker, drive, generator, worker

MESH, DIRECT = "shared mesh", "direct sockets"
SHAPES = {MESH: (), DIRECT: ("--mesh", "off")}
ROUNDS, SECONDS, CLIENTS = 15, 3.0, 16

ABOUT = """
A request from outside to one service, which asks another one: two hops. In the shared mesh one Envoy carries
both, with mutual TLS, the callers' rights, time limits and a line of log at each; with direct sockets (`--mesh
off`) it serves the gateway alone. Both systems run at the same time, each idle while the other is measured.
Requests leave at half of the rate that the meshed system can keep up with, whether answers come or not, and a
latency counts from when its request should have left. Differences are taken within each round, in milliseconds;
less is better.
"""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies of one system in one round, in milliseconds."""

    p50: float
    p99: float


async def run(effort: Effort, say: Say) -> Outcome:
    """Measure both shapes of one system in turn."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoal-bench-")))
        ports = {
            name: await stack.enter_async_context(running(made(folder / f"s{number}"), options))
            for number, (name, options) in enumerate(SHAPES.items())
        }
        load = await stack.enter_async_context(generator(apart=False))
        rate = await peak(load, ports[MESH], "/relayed/7") / 2
        say(f"half load is {rate:,.0f} requests/s")
        paced = await stack.enter_async_context(worker("bench.paced"))
        rounds: list[dict[str, Latency]] = []
        spare = effort.choose(ROUNDS)
        while len(rounds) < effort.choose(ROUNDS):
            watch = Watch()
            found = await _round(paced, ports, rate, len(rounds))
            if watch.read().steal > MOST_STEAL and spare:
                spare -= 1
                continue
            rounds.append(found)
            say(", ".join(f"{name} p50 {one.p50:.2f} p99 {one.p99:.2f} ms" for name, one in found.items()))
    return Outcome(section=_section(rounds, rate), rows={"rounds": rounds})


async def peak(load: Worker, port: int, path: str, clients: int = CLIENTS) -> float:
    """Measure how many requests per second a closed loop gets answered."""
    order = Order(port=port, operations=2000, requests=(request(path),) * clients, status=200, awake=False)
    await drive(load, order)
    return order.operations / await drive(load, order)


async def _round(paced: Worker, ports: dict[str, int], rate: float, number: int) -> dict[str, Latency]:
    found: dict[str, list[int]] = {name: [] for name in ports}
    for name in palindrome([*ports], number):
        answer = await paced.ask(
            Pace(port=ports[name], rate=rate, seconds=SECONDS / 2, requests=(request("/relayed/7"),)), Paced
        )
        if set(answer.statuses) - {"200", "lost"} or answer.statuses.get("lost"):
            raise RuntimeError(f"{name} did not answer everything: {answer.statuses}")
        found[name] += answer.latencies_us
    return {name: _latency(some) for name, some in found.items()}


def _latency(found: list[int]) -> Latency:
    ordered = sorted(found)
    return Latency(p50=ordered[len(ordered) // 2] / 1000, p99=ordered[len(ordered) * 99 // 100] / 1000)


def _section(rounds: list[dict[str, Latency]], rate: float) -> Section:
    half = [one[MESH].p50 - one[DIRECT].p50 for one in rounds]
    most = [one[MESH].p99 - one[DIRECT].p99 for one in rounds]
    rows = tuple(
        (name, f"{median(r[name].p50 for r in rounds):.2f}", f"{median(r[name].p99 for r in rounds):.2f}")
        for name in SHAPES
    )
    return Section(
        id="B2",
        title="what the mesh adds to two hops",
        about=ABOUT,
        comparisons=(
            Comparison(what="p50 added, ms", ratio=estimate(half), target=Target(bound=1.0, better="lower")),
            Comparison(what="p99 added, ms", ratio=estimate(most), target=Target(bound=3.0, better="lower")),
        ),
        tables=(Table(columns=("", "p50, ms", "p99, ms"), rows=rows),),
        facts={"rounds": f"{len(rounds)}, of {SECONDS:g} s for each", "load": f"{rate:,.0f} requests/s"},
    )
