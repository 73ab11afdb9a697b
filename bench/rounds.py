"""Interleaved rounds of fixed work: everything is compared with what ran in the same minute."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.machine import Busyness, Watch
from bench.statistics import palindrome

MOST_STEAL = 0.02
"""A round from which the hypervisor took more is run again."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run of fixed work."""

    operations: int
    seconds: float
    cpu_ns: int

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.operations / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of processor time per operation."""
        return self.cpu_ns / 1000 / self.operations


class Contestant(Protocol):
    """One side of a comparison, started and warm."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    def run(self, operations: int) -> Awaitable[Sample]:
        """Do the work and measure it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Two runs of every contestant, and how busy the machine was meanwhile."""

    samples: dict[str, tuple[Sample, ...]]
    busyness: Busyness

    def rate(self, name: str) -> float:
        """Operations per second over both runs."""
        some = self.samples[name]
        return sum(s.operations for s in some) / sum(s.seconds for s in some)

    def cpu_us(self, name: str) -> float:
        """Microseconds of processor time per operation over both runs."""
        some = self.samples[name]
        return sum(s.cpu_ns for s in some) / 1000 / sum(s.operations for s in some)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is measured."""

    rounds: int
    operations: int
    """Of one run."""


async def interleave(contestants: Sequence[Contestant], amount: Amount, say: Say) -> tuple[Round, ...]:
    """Run everybody once to warm up, then the rounds; those spoilt by the hypervisor are replaced while that helps."""
    for contestant in contestants:
        await contestant.run(amount.operations)
    kept: list[Round] = []
    spare = amount.rounds
    while len(kept) < amount.rounds:
        found = await _one(contestants, amount.operations, len(kept))
        if found.busyness.steal > MOST_STEAL and spare:
            spare -= 1
            continue
        kept.append(found)
        say(f"round {len(kept)} of {amount.rounds}: {', '.join(_spell(found))}")
    return tuple(kept)


async def _one(contestants: Sequence[Contestant], operations: int, turn: int) -> Round:
    by_name = {c.name: c for c in contestants}
    samples: dict[str, list[Sample]] = {name: [] for name in by_name}
    watch = Watch()
    for name in palindrome([*by_name], turn):
        samples[name].append(await by_name[name].run(operations))
    return Round(samples={name: tuple(some) for name, some in samples.items()}, busyness=watch.read())


def _spell(found: Round) -> Iterator[str]:
    for name in found.samples:
        rate, spent = found.rate(name), found.cpu_us(name)
        yield f"{name} {rate:,.0f}/s {spent:.1f} µs" if spent else f"{name} {1 / rate:.2f} s"
    yield f"steal {found.busyness.steal:.1%}"
