"""``shoal metrics``."""

from typing import TYPE_CHECKING

import click

from shoal.cli.output import examples, output_option, print_json, print_table, say
from shoal.cli.program import FOUND, OK, Global
from shoal.cli.recorded import recorded, run_option, since

if TYPE_CHECKING:
    from shoal.dashboard.store.reading import Metric

_EXAMPLES = examples(
    "shoal metrics                                       which there are",
    "shoal metrics http.server.request.duration          how it is now, for each replica and set of attributes",
    "shoal metrics http.server.request.duration --service orders --since 5m -o json",
)

_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 24


@click.command("metrics", epilog=_EXAMPLES)
@click.argument("name", default="", metavar="[NAME]")
@click.option("--service", default="", metavar="NAME", help="Only metrics of this service.")
@click.option("--since", "age", default="", metavar="5m", help="Only values younger than this (s, m, h, d).")
@run_option
@output_option
@click.pass_obj
def command(context: Global, /, name: str, service: str, age: str, run: int | None, output: str) -> int:
    """Show what services measured: the names of all metrics, or the values of one.

    Sums and histograms are shown as what was added per second.
    """
    from shoal.dashboard.store.reading import MetricQuery, metric, metrics

    with recorded(context, run) as database:
        exact = {one.name for one in metrics(database).items}
        if name in exact:
            found = metric(database, MetricQuery(name=name, service=service, since=since(age)))
            print_json(found) if output == "json" else _show(found)
            return OK if found.series else FOUND
        named = metrics(database, service=service, name=name)
    if output == "json":
        print_json(named)
    else:
        rows = [(one.service, one.name, one.kind, one.unit or "-", str(one.series)) for one in named.items]
        print_table(("SERVICE", "METRIC", "KIND", "UNIT", "SERIES"), rows)
        if not rows:
            say("no such metrics; services send theirs every five seconds")
    return OK if named.items or not name else FOUND


def _show(found: "Metric") -> None:
    rows = []
    for one in found.series:
        labels = " ".join(f"{key}={value}" for key, value in sorted(one.attributes.items()))
        last = one.values[-1] if one.values else None
        p99 = next((value for value in reversed(one.quantiles.get("p99", [])) if value is not None), None)
        slowest = one.exemplars[0].trace_id if one.exemplars else "-"
        now = _number(last), _number(one.total), _number(p99)
        rows.append((one.replica, labels or "-", *now, slowest, _line(one.values)))
    what = "NOW" if found.kind == "gauge" else "PER SECOND"
    print_table(("PROCESS", "ATTRIBUTES", what, "TOTAL", "P99", "TRACE OF LARGEST", "LATELY"), rows)
    say(f"{found.name}, a {found.kind}" + (f" in {found.unit}" if found.unit else ""))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}" if abs(value) < 1e6 else f"{value:.0f}"


def _line(values: list[float]) -> str:
    """Draw the last values."""
    shown = values[-_SHOWN:]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    if high <= low:
        return _BARS[0] * len(shown)
    return "".join(_BARS[int((value - low) / (high - low) * (len(_BARS) - 1))] for value in shown)
