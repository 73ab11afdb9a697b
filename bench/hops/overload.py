"""Measure B10."""

import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import msgspec

from bench.hops.run import peak
from bench.hops.running import made, request, running
from bench.outcome import Effort, Outcome
from bench.paced import Pace, Paced
from bench.report import Comparison, Section, Table
from bench.rounds import Say
from bench.statistics import Target, estimate
from bench.workers import Worker, generator, worker
from shoal.local.admin import counters
from shoal.local.layout import layout_of

ROUNDS, TRIGGER, AFTER = 7, 6.0, 12.0
FEW = 3
"""Connections that keep the service busy, and of which none is ever refused."""

PATIENCE = 1.0
"""Seconds after which an answer is worth nothing."""

PATHS = {"mill": "/ground/7", "sieve": "/sifted/7"}

ABOUT = f"""
A service whose handler computes for some three milliseconds, behind the gateway, with `Shedding` declared and one
replica. Its peak is what a closed loop of {FEW} connections gets answered. Then requests leave at three times that
rate for {TRIGGER:g} s, whether answers come or not; goodput counts answers with status 200 that came
within {PATIENCE:g} s. After that they leave at half of the peak rate, and the time is measured until a
second of them is answered as before: 99 % in time. Attempts are what the gateway sent to the service, retries
included, for each request that it took. The same was done to a service that computes for a third of a millisecond:
there a refusal, which passes two listeners and their TLS, costs about as much as an answer, and two processors cannot
refuse as many as come; who serves so little at a time wants a rate limit at the edge.
"""


class Overload(msgspec.Struct, frozen=True, kw_only=True):
    """One round."""

    peak: float
    goodput: float
    attempts: float
    recovery: float
    """Seconds from the end of the trigger."""
    statuses: dict[str, int]


async def run(effort: Effort, say: Say) -> Outcome:
    """Overload one service, again and again."""
    rounds: dict[str, list[Overload]] = {name: [] for name in PATHS}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoal-bench-")))
        port = await stack.enter_async_context(running(made(folder / "s")))
        load = await stack.enter_async_context(generator(apart=False))
        paced = await stack.enter_async_context(worker("bench.paced"))
        for _ in range(effort.choose(ROUNDS)):
            for name, found in rounds.items():
                found.append(await _round(load, paced, port, folder, name))
                say(f"{name}: {found[-1]}")
    return Outcome(section=_section(rounds), rows=dict(rounds))


async def _round(load: Worker, paced: Worker, port: int, folder: Path, name: str) -> Overload:
    most = await peak(load, port, PATHS[name], FEW)
    sent, retried = await _attempts(folder / "s", name)
    asked = (request(PATHS[name]),)
    pushed = await paced.ask(
        Pace(port=port, rate=3 * most, seconds=TRIGGER, requests=asked, patience=PATIENCE, connections=512), Paced
    )
    after = await paced.ask(Pace(port=port, rate=most / 2, seconds=AFTER, requests=asked, patience=PATIENCE), Paced)
    total, again = await _attempts(folder / "s", name)
    attempts, repeats = total - sent, again - retried
    return Overload(
        peak=most,
        goodput=len(pushed.latencies_us) / TRIGGER,
        attempts=attempts / max(1, attempts - repeats),
        recovery=_recovered(after, most / 2),
        statuses=pushed.statuses,
    )


def _recovered(after: Paced, rate: float) -> float:
    """Say when the first second began in which 99 % were answered in time."""
    answered = Counter(at // 1000 for at in after.at_ms)
    seconds = range(int(AFTER))
    return float(next((s for s in seconds if answered[s] >= 0.99 * int(rate)), AFTER))


async def _attempts(place: Path, name: str) -> tuple[int, int]:
    """Ask the gateway's Envoy how often it sent a request to the service, and how many of them were repeats."""
    cluster = f"cluster.gateway.{name}.upstream_rq"
    found = await counters(layout_of(place).sockets / "envoy.admin", f"^{cluster}_(total|retry)$")
    total, again = (found.get(f"{cluster}_{kind}", 0) for kind in ("total", "retry"))
    return total, again


def _section(found: dict[str, list[Overload]]) -> Section:
    rows = tuple(
        (
            name,
            f"{median(r.peak for r in some):,.0f}",
            f"{median(r.goodput for r in some):,.0f}",
            f"{median(r.goodput / r.peak for r in some):.2f}",
            f"{median(r.recovery for r in some):.0f}, at most {max(r.recovery for r in some):.0f}",
        )
        for name, some in found.items()
    )
    rounds = found["mill"]
    kept = estimate([r.goodput / r.peak for r in rounds])
    attempts, recovery = estimate([r.attempts for r in rounds]), estimate([r.recovery for r in rounds])
    return Section(
        id="B10",
        title="what is left of a service that gets three times what it can take",
        about=ABOUT,
        comparisons=(
            Comparison(what="goodput / peak", ratio=kept, target=Target(bound=0.9)),
            Comparison(what="attempts / requests", ratio=attempts, target=Target(bound=1.1, better="lower")),
            Comparison(what="recovery, s", ratio=recovery, target=Target(bound=10.0, better="lower")),
        ),
        tables=(
            Table(columns=("", "peak, requests/s", "goodput at three times that", "ratio", "recovery, s"), rows=rows),
        ),
        facts={"rounds": str(len(rounds))},
    )
