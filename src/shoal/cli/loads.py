"""What `shoal load` shows, while it runs and afterwards."""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from shoal.cli.output import colourful, print_table, say, style

if TYPE_CHECKING:
    from rich.table import Table

    from shoal.load.compare import Comparison, Pair
    from shoal.load.result import Latency, Result
    from shoal.load.runner import Run
    from shoal.load.summary import Glance

_LIVE_SECONDS, _LINE_SECONDS = 1.0, 10.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_WIDTH = 40


class Watch:
    """Shows how a run goes, and turns Ctrl-C into its end; what it yields is set by then."""

    def __init__(self, run: "Run[Any]", *, quiet: bool) -> None:
        self._run, self._quiet = run, quiet
        self._stop = asyncio.Event()

    async def __aenter__(self) -> asyncio.Event:
        """Begin to show."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._interrupt)
        self._showing = asyncio.ensure_future(self._nothing() if self._quiet else self._show())
        return self._stop

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cease."""
        self._showing.cancel()
        await asyncio.gather(self._showing, return_exceptions=True)
        self._leave()

    def _interrupt(self) -> None:
        """End the run; the second time is as everywhere."""
        self._stop.set()
        self._leave()

    def _leave(self) -> None:
        for number in _SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)

    async def _nothing(self) -> None:
        pass

    async def _show(self) -> None:
        from shoal.load.summary import glance

        order = self._run.order
        say(f"{order.rate:g} visitors a second, seed {order.seed}; Ctrl-C ends it with the report")
        if sys.stderr.isatty() and colourful(sys.stderr):
            await self._live()
        while True:
            await asyncio.sleep(_LINE_SECONDS)
            say(_line(glance(self._run)))

    async def _live(self) -> None:
        from rich.console import Console
        from rich.live import Live

        from shoal.load.summary import glance

        with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
            while True:
                live.update(_picture(glance(self._run)), refresh=True)
                await asyncio.sleep(_LIVE_SECONDS)


def _line(glance: "Glance") -> str:
    every = glance.parts[0]
    return (
        f"{glance.seconds:5.0f} s  {every.begun} visitors, {glance.present} of them there  {every.requests} requests  "
        f"p50 {_ms(every.p50)}  p99 {_ms(every.p99)}  {every.refused} refused  {every.failed} failed"
    )


def _picture(glance: "Glance") -> "Table":
    from rich.table import Table

    table = Table(title=f"{glance.seconds:.0f} s, {glance.present} visitors there", title_justify="left", box=None)
    table.add_column("JOURNEY")
    for heading in ("BEGUN", "PER S", "REQUESTS", "P50", "P99", "REFUSED", "FAILED"):
        table.add_column(heading, justify="right")
    for part in glance.parts:
        rate = part.begun / glance.seconds if glance.seconds else 0.0
        bad = "red" if part.failed else "yellow" if part.refused else ""
        figures = (str(part.begun), f"{rate:.1f}", str(part.requests), _ms(part.p50), _ms(part.p99))
        table.add_row(part.name, *figures, str(part.refused), str(part.failed), style=bad)
    return table


def show(result: "Result") -> None:
    """Print a result."""
    click.echo(f"{result.load} at {result.target}: {result.seconds:.1f} s, seed {result.seed}\n")
    ends = result.ends
    print_table(
        ("JOURNEY", "ASKED/S", "BEGUN/S", "BEGUN", "FINISHED", "LEFT", "CUT", "P50", "P99"),
        [
            (
                row.name, f"{row.asked:.2f}", f"{row.reached:.2f}",
                *(str(getattr(ends.get(row.name), name, 0)) for name in ("begun", "finished", "left", "cut")),
                _ms(row.corrected.p50), _ms(row.corrected.p99),
            )
            for row in result.journeys
        ],
    )  # fmt: skip
    click.echo()
    percentiles = ("P50", "P90", "P95", "P99", "P99.9", "MAX")
    print_table(
        ("OPERATION", "DUE/S", "DONE/S", "OK", "REFUSED", "FAILED", *percentiles, "SENT P99"),
        [
            (
                row.name, f"{row.asked:.2f}", f"{row.reached:.2f}", str(row.succeeded), _bad(row.refused, "yellow"),
                _bad(row.failed, "red"), *_figures(row.corrected), _ms(row.uncorrected.p99),
            )
            for row in (*result.operations, result.total)
        ],
    )  # fmt: skip
    click.echo()
    rows = (("due", result.total.corrected), ("sent", result.total.uncorrected), ("generator late", result.lateness))
    print_table(("COUNTED FROM", *percentiles), [(n, *_figures(x)) for n, x in rows])


def explain(result: "Result") -> None:
    """Print what went wrong, and what the run is worth."""
    if result.problems:
        click.echo()
        rows = [(p.operation, p.kind, str(p.count), f"shoal why {p.trace}") for p in result.problems]
        print_table(("OPERATION", "WHAT", "TIMES", "THE LAST ONE"), rows)
    for note in result.notes:
        say(note)
    for doubt in result.doubts:
        say(f"{style('not valid', sys.stderr, fg='red', bold=True)}: {doubt}")


def show_comparison(found: "Comparison", names: tuple[str, str]) -> None:
    """Draw two runs."""
    most = max((max(point.latency.before, point.latency.after) for point in found.curve), default=0.0) or 1.0
    width = max(map(len, names))
    click.echo("latency from when requests were due")
    for point in found.curve:
        head = "max" if point.percentile == 100 else f"p{point.percentile:g}"
        values = (point.latency.before, point.latency.after)
        for label, name, value, colour in zip((head, ""), names, values, ("blue", "magenta"), strict=True):
            bar = style(f"{_bar(value / most):<{_WIDTH}}", sys.stdout, fg=colour)
            change = f"  {_change(point.latency)}" if not label else ""
            click.echo(f"{label:>6}  {name:<{width}}  {bar}  {_ms(value):>7}{change}", color=True)
    click.echo()
    print_table(
        ("OPERATION", "DONE/S", "", "P50", "", "P99", "", "ERRORS"),
        [
            (
                row.name, *_both(row.reached, lambda x: f"{x:.2f}"), *_both(row.p50, _ms), *_both(row.p99, _ms),
                f"{row.errors.before:.2%} → {row.errors.after:.2%}",
            )
            for row in found.rows
        ],
    )  # fmt: skip
    for text in found.unlike:
        say(f"beware: {text}")


def _both(pair: "Pair", write: Callable[[float], str]) -> tuple[str, str]:
    return f"{write(pair.before)} → {write(pair.after)}", _change(pair)


def _change(pair: "Pair") -> str:
    return "" if pair.change is None else f"{pair.change:+.0%}"


def _bar(share: float) -> str:
    """Draw a part of the whole width, in eighths of a character."""
    eighths = round(share * _WIDTH * 8)
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()) or "▏"


def _figures(latency: "Latency") -> tuple[str, ...]:
    if not latency.count:
        return ("-",) * 6
    return tuple(map(_ms, (latency.p50, latency.p90, latency.p95, latency.p99, latency.p999, latency.max)))


def _ms(value: float) -> str:
    if not value:
        return "-"
    return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


def _bad(counts: Mapping[str, int], colour: str) -> str:
    total = sum(counts.values())
    return style(str(total), sys.stdout, fg=colour) if total else "0"
