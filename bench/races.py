"""From rounds to ratios and tables."""

from collections.abc import Sequence
from statistics import median

from bench.report import Comparison, Table
from bench.rounds import Round
from bench.statistics import Target, estimate, ratios


def compare(
    rounds: Sequence[Round], ours: str, theirs: str, *, what: str, target: Target | None = None
) -> tuple[Comparison, Comparison]:
    """Compare by the clock and by processor time, both as operations per second."""
    by_clock = ratios([r.rate(ours) for r in rounds], [r.rate(theirs) for r in rounds])
    by_cpu = ratios([r.cpu_us(theirs) for r in rounds], [r.cpu_us(ours) for r in rounds])
    return (
        Comparison(what=f"{what}, by the clock", ratio=estimate(by_clock), target=target),
        Comparison(what=f"{what}, by processor time", ratio=estimate(by_cpu), target=target),
    )


def figures(rounds: Sequence[Round]) -> Table:
    """Show everybody's medians."""
    names = [*rounds[0].samples]
    return Table(
        columns=("", "operations/s", "µs of processor time per operation"),
        rows=tuple(
            (name, f"{median(r.rate(name) for r in rounds):,.0f}", f"{median(r.cpu_us(name) for r in rounds):.1f}")
            for name in names
        ),
    )


def circumstances(rounds: Sequence[Round]) -> dict[str, str]:
    """Say how much was measured and how busy the machine was."""
    some = next(iter(rounds[0].samples.values()))
    return {
        "rounds": f"{len(rounds)}, of {some[0].operations:,} operations twice for everybody",
        "steal": f"median {median(r.busyness.steal for r in rounds):.1%}",
        "load average": f"median {median(r.busyness.load for r in rounds):.1f}",
    }
