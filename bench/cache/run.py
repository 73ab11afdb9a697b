"""Measure B13."""

from dataclasses import replace

from bench.cache.sides import BATCH, CLIENT, LINK, OURS, server, sides
from bench.cache.stampede import ASKING, LOAD, REPLICAS, stampede
from bench.outcome import Effort, Outcome
from bench.races import circumstances, compare, figures
from bench.report import Comparison, Section
from bench.rounds import Amount, Say, interleave
from bench.statistics import Target, estimate

ROUNDS, ALONE, TOGETHER, STAMPEDES = 31, 2_000, 20_000, 11
SINGLE, BATCHES = Target(bound=1 / 1.3), Target(bound=1 / 1.15)
"""Of the raw client's operations per second."""
ONE = Target(bound=1.0, better="lower")

ABOUT = f"""
Values of 200 bytes are written with an end and read again, by one task over a UNIX socket: our driver, which also adds
the service's prefix and gives each step 0.5 s; the bare connection below it; and valkey-py, whose parser is Python
here as well. *Alone* is one command at a time. *Together* is {BATCH} commands at a time, sent in one write; nobody
uses `MGET`, which a cluster refuses for keys of several slots. Processor time is that of the client's process.

In a *stampede* {ASKING:,} tasks ask at once, over {REPLICAS} replicas with a connection each, for the result of one
function that takes {LOAD * 1000:g} ms and that nobody has asked for before.
"""


async def run(effort: Effort, say: Say) -> Outcome:
    """Race the three, one value at a time and in batches; then let many miss at once."""
    rounds = effort.choose(ROUNDS)
    async with server() as door:
        async with sides(door, batches=False) as ways:
            alone = await interleave(ways, Amount(rounds=rounds, operations=ALONE), say)
        async with sides(door, batches=True) as ways:
            together = await interleave(ways, Amount(rounds=rounds, operations=TOGETHER), say)
        missed = [await stampede(door, turn) for turn in range(effort.choose(STAMPEDES))]
    say(f"loads {[one.loads for one in missed]}, until all had it {[round(one.seconds, 3) for one in missed]} s")
    comparisons: list[Comparison] = []
    for kind, found, target in (("alone", alone, SINGLE), ("together", together, BATCHES)):
        first, *rest = compare(found, OURS, CLIENT, what=f"{OURS} / {CLIENT}, {kind}")
        comparisons += [
            replace(first, target=target),
            *rest,
            *compare(found, OURS, LINK, what=f"{OURS} / {LINK}, {kind}"),
        ]
    loads = estimate([float(one.loads) for one in missed])
    comparisons.append(Comparison(what=f"loads for {ASKING:,} who miss at once", ratio=loads, target=ONE))
    slowest = max(one.seconds for one in missed)
    section = Section(
        id="B13",
        title="what a cache costs",
        about=ABOUT,
        comparisons=tuple(comparisons),
        tables=(figures(alone), figures(together)),
        facts={
            "stampedes": f"{len(missed)}; the last had the result after {slowest:.2f} s at most",
            **circumstances(alone),
        },
    )
    return Outcome(section=section, rows={"alone": alone, "together": together, "stampedes": missed})
