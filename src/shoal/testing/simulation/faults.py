"""Which faults a seed brings: how often small ones strike, and when which large ones happen.

Every seed draws a subset ("swarm testing"): a run with two kinds of fault looks deeper than one with all of them.
"""

from random import Random
from typing import Literal

import msgspec

Kind = Literal[
    "crash", "freeze", "store-crash", "broker-crash", "broker-older", "stream-gone", "store-cut", "broker-cut"
]

RATES = (
    "store.lost",  # the connection breaks before a statement
    "commit.lost",  # the connection breaks before the commit is made
    "commit.unknown",  # it breaks after the commit was made, before the client hears of it
    "publish.lost",  # the connection breaks while messages are under way
    "publish.unconfirmed",  # a message is stored, its acknowledgement is lost
    "publish.forgotten",  # the broker no longer knows the ids that it stored
    "answer.lost",  # a consumer's answer is lost
    "delivery.lost",  # a delivery is lost
    "delivery.again",  # an unanswered delivery is made once more, too early
    "call.lost",  # a request between services is lost
    "reply.lost",  # its answer is lost
    "outside.lost",  # a request to an outside system is lost
    "outside.unknown",  # its answer is lost
)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something large that happens at one time."""

    at: float
    kind: Kind
    target: str
    seconds: float = 0.0
    """How long it lasts; for a crash, until the restart."""
    back: float = 0.0
    """How much older the copy is from which a broker starts again."""

    def __str__(self) -> str:
        older = f", from a copy {self.back:.1f} s older" if self.back else ""
        return f"{self.at:7.3f}  {self.kind} of {self.target}, for {self.seconds:.2f} s{older}"


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that goes wrong under one seed."""

    rates: dict[str, float] = {}
    """By name, see `RATES`; what is missing never strikes."""
    latency: float = 0.002
    """Mean seconds of one way to an engine."""
    schedule: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        rates = ", ".join(f"{name} {rate:g}" for name, rate in sorted(self.rates.items())) or "none"
        return "\n".join((f"latency {self.latency:g} s; rates: {rates}", *map(str, self.schedule)))


def draw(random: Random, services: tuple[str, ...], streams: tuple[str, ...], until: float) -> Faults:
    """Draw what goes wrong before `until`."""
    chosen = [name for name in RATES if random.random() < 0.3]
    count = random.choice((0, 1, 1, 2, 2, 3, 4))
    faults = [_fault(random, services, streams, until) for _ in range(count)]
    return Faults(
        rates={name: random.choice((0.01, 0.03, 0.1)) for name in chosen},
        latency=random.choice((0.0005, 0.002, 0.01)),
        schedule=tuple(sorted(faults, key=lambda fault: fault.at)),
    )


def _fault(random: Random, services: tuple[str, ...], streams: tuple[str, ...], until: float) -> Fault:
    kind: Kind = random.choice(
        (
            *("crash", "crash", "crash", "freeze", "freeze", "store-crash"),
            *("broker-crash", "broker-older", "stream-gone", "store-cut", "broker-cut"),
        )
    )
    target = random.choice(services)
    if kind in ("broker-crash", "broker-older"):
        target = "broker"
    elif kind == "stream-gone":
        target = random.choice(streams)
    seconds = random.choice((0.1, 1.0, 7.0) if kind == "freeze" else (0.05, 0.5, 2.0))
    at = random.uniform(0.0, until)
    back = random.uniform(0.1, at) if kind == "broker-older" and at > 0.1 else 0.0
    return Fault(at=at, kind=kind, target=target, seconds=seconds * random.uniform(0.5, 1.5), back=back)


class Chance:
    """Draws the small faults of a run."""

    def __init__(self, random: Random, faults: Faults) -> None:
        self._random, self._faults = random, faults
        self.calm = False
        self.struck: dict[str, int] = {}
        """How often each fault happened."""

    def strikes(self, name: str) -> bool:
        """Draw whether a fault happens now."""
        rate = self._faults.rates.get(name, 0.0)
        if self.calm or not rate or self._random.random() >= rate:
            return False
        self.struck[name] = self.struck.get(name, 0) + 1
        return True

    def latency(self) -> float:
        """Draw the seconds of one way."""
        return self._random.expovariate(1.0) * self._faults.latency

    def up_to(self, most: float) -> float:
        """Draw a span."""
        return self._random.uniform(0.0, most)

    def below(self, count: int) -> int:
        """Draw a number from 0 on."""
        return self._random.randrange(count)
