"""Measure B9."""

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.outcome import Effort, Outcome
from bench.report import Comparison, Section, Table
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.start.bare import Bare
from bench.start.shop import Shop, Start
from bench.statistics import Target, estimate, ratios
from shoal.local.engines import postgres
from shoal.local.privilege import unprivileged

OURS, BARE = "shoal run", "bare programs"
ROUNDS = 11

ABOUT = """
From the command `shoal run` on the reference shop (ten services, an old application, one sandbox, PostgreSQL, NATS,
Envoy, Valkey, a mailbox) to a confirmed order: sign up, log in, order, and ask until the payment and the reservation
have come back as events. All of it goes through the gateway and is asked for from the first moment on. Beside it the
bare programs of the same packages, started all at once by a script: PostgreSQL, NATS with JetStream and Envoy, each
until it answers, and one Python that imports what a service imports. Nothing is configured, secured, migrated or
ordered there, so its time is the floor.

- *first*: nothing exists yet, nor does the cache that keeps a database template; beside it `initdb` and a start.
- *fresh*: a new project where Shoal was used before (`--fresh`); beside it `initdb` and a start.
- *warm*: the second start of the same project; beside it the second start of the same programs.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """Starts one side, and notes the steps of ours."""

    name: str
    begin: Callable[[], Awaitable[float]]

    async def run(self, operations: int) -> Sample:
        """Start and end it `operations` times."""
        seconds = [await self.begin() for _ in range(operations)]
        return Sample(operations=operations, seconds=sum(seconds), cpu_ns=0)


class Sides:
    """Both sides of one kind of start."""

    def __init__(self, shop: Shop, bare: Bare, kind: str) -> None:
        self._shop, self._bare, self._kind = shop, bare, kind
        self.steps: list[Start] = []

    def starters(self) -> tuple[Starter, Starter]:
        """Return what the rounds alternate between."""
        return Starter(name=OURS, begin=self._ours), Starter(name=BARE, begin=self._theirs)

    async def _ours(self) -> float:
        if self._kind != "warm":
            self._shop.clear(cache=self._kind == "first")
        steps = await self._shop.start(fresh=self._kind != "warm")
        self.steps.append(steps)
        return steps.confirmed

    async def _theirs(self) -> float:
        if self._kind != "warm":
            self._bare.clear()
        return await self._bare.start()


async def run(effort: Effort, say: Say) -> Outcome:
    """Measure first, fresh and warm starts."""
    amount = Amount(rounds=effort.choose(ROUNDS), operations=1)
    place = _place()
    try:
        privilege = await unprivileged(postgres.locate())
        shop, bare = Shop(place=place / "shop"), Bare(place=place / "bare", prefix=privilege.prefix)
        found = {}
        for kind in ("first", "fresh", "warm"):
            say(f"{kind}:")
            sides = Sides(shop, bare, kind)
            found[kind] = await interleave(sides.starters(), amount, say), sides.steps
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return Outcome(section=_section(found), rows={kind: (rounds, steps) for kind, (rounds, steps) in found.items()})


def _place() -> Path:
    place = Path(tempfile.mkdtemp(prefix="sb-"))  # short: sockets lie below it
    place.chmod(0o755)  # PostgreSQL's user may be another one
    return place


def _section(found: dict[str, tuple[tuple[Round, ...], list[Start]]]) -> Section:
    comparisons = []
    for kind, (rounds, _) in found.items():
        quotients = ratios(_seconds(rounds, OURS), _seconds(rounds, BARE))
        target = None if kind == "warm" else Target(bound=1.5, better="lower")
        comparisons.append(Comparison(what=f"{OURS} / {BARE}, {kind}", ratio=estimate(quotients), target=target))
    warm = estimate(_seconds(found["warm"][0], OURS))
    comparisons.append(
        Comparison(what=f"{OURS}, warm, in seconds", ratio=warm, target=Target(bound=2.0, better="lower"))
    )
    return Section(
        id="B9",
        title="from the command to the first confirmed order",
        about=ABOUT,
        comparisons=tuple(comparisons),
        tables=(_steps(found),),
        facts={"rounds": f"{len(found['warm'][0])} of each kind, every side twice in each"},
    )


def _seconds(rounds: Sequence[Round], name: str) -> list[float]:
    return [1 / r.rate(name) for r in rounds]


def _steps(found: dict[str, tuple[tuple[Round, ...], list[Start]]]) -> Table:
    rows = [
        (
            kind,
            f"{median(s.answering for s in steps):.2f}",
            f"{median(s.placed for s in steps):.2f}",
            f"{median(s.confirmed for s in steps):.2f}",
            f"{median(_seconds(rounds, BARE)):.2f}",
        )
        for kind, (rounds, steps) in found.items()
    ]
    columns = ("median seconds until", "first answer of a service", "order placed", "order confirmed", BARE)
    return Table(columns=columns, rows=tuple(rows))
