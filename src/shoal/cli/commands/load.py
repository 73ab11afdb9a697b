"""``shoal load`` and ``shoal load compare``."""

import asyncio
import importlib.util
import math
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shoal.cli.durations import duration
from shoal.cli.output import examples, output_option, print_json, say
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import HostError, ShoalError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from shoal.load.result import Result
    from shoal.load.runner import Order

_EXAMPLES = examples(
    "shoal load                                      five visitors a second, until Ctrl-C",
    "shoal load --rate 200 --for 60s --ramp 10s --out before.json",
    "shoal load --rate 50 --for 30s --max-p99 300ms --max-errors 1%",
    "shoal load demo.traffic:load --seed 7           journeys that are declared elsewhere",
    "shoal load compare before.json after.json",
)


_LIFETIME = 3600.0
"""Seconds for which a persona's token is good."""


def percent(text: str) -> float:
    """Read ``1%`` or ``0.01``."""
    try:
        found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no share; write 1% or 0.01") from error
    if not 0 <= found <= 1:
        raise click.BadParameter(f"{text!r} is no share; it is between 0 and 100%")
    return found


class _Loads(click.Group):
    """Takes what is declared as its first word, where that is no command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take a first word such as ``shop.load:load``."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            ctx.meta["shoal.load"] = args[0]
            args = args[1:]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both forms."""
        formatter.write_usage(ctx.command_path, "[MODULE:ATTRIBUTE] [OPTIONS]")
        formatter.write_usage(ctx.command_path, "compare A.json B.json")


@click.group("load", cls=_Loads, invoke_without_command=True, epilog=_EXAMPLES)
@click.option("--rate", default=5.0, show_default=True, type=click.FloatRange(0.01, 10_000), help="Visitors a second.")
@click.option("--for", "seconds", type=duration, metavar="DURATION", help="How long they come [default: until Ctrl-C].")
@click.option("--ramp", type=duration, default="0", metavar="DURATION", help="How long the rate rises from nothing.")
@click.option("--seed", type=int, metavar="N", help="The same seed, the same journeys and times [default: another].")
@click.option(
    "--think", default=1.0, show_default=True, type=click.FloatRange(0, 100), help="Factor of the time to think."
)
@click.option("--at-most", default=256, show_default=True, type=click.IntRange(1, 10_000), help="Requests at a time.")
@click.option("--visitors", default=5000, show_default=True, type=click.IntRange(1, 9000), help="Visitors at a time.")
@click.option(
    "--patience",
    type=duration,
    default="10s",
    show_default=True,
    metavar="DURATION",
    help="How long an answer is waited for.",
)
@click.option("--max-p99", type=duration, metavar="DURATION", help="Exit with 1 when 1 of 100 requests takes longer.")
@click.option("--max-errors", type=percent, metavar="SHARE", help="Exit with 1 when more are refused or fail.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write everything there.")
@click.option("--target", default="", metavar="URL", help="Where to send it [default: the gateway of what runs here].")
@click.option("--yes-i-own-it", "owned", is_flag=True, help="The target is another machine, and I may do this to it.")
@output_option
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Use the system as its visitors do, and measure what they meet.

    Journeys are declared in the module `load` beside the system, or in [tool.shoal] load, or as MODULE:ATTRIBUTE.
    Visitors arrive at a rate that does not ask how the system is. A latency counts from when its request was due;
    `sent` shows it from when it was sent, which hides what waited. Ctrl-C ends with the report.

    Exits with 1 when a bound is exceeded, or cannot be judged since the generator could not keep up, and when a
    journey has an error.
    """
    if ctx.invoked_subcommand is not None:
        return OK
    context: Global = ctx.find_object(Global) or Global(root=Path.cwd(), system="")
    if importlib.util.find_spec("hdrh") is None:
        raise HostError("shoal load counts with HdrHistogram, which is not installed", hint="install shoal[load]")
    result = _run(context, ctx.meta.get("shoal.load", ""), options)
    return _close(context, result, options)


@command.command(
    "compare",
    epilog=examples("shoal load compare before.json after.json", "shoal load compare before.json after.json --json"),
)
@click.argument("before", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("after", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@output_option
def compare(before: Path, after: Path, output: str) -> int:
    """Show two runs, written by --out, side by side."""
    from shoal.cli.loads import show_comparison
    from shoal.load.compare import compare as compared
    from shoal.load.result import from_json

    one, two = (from_json(path.read_bytes(), str(path)) for path in (before, after))
    found = compared(one, two)
    if output == "json":
        print_json(found)
    else:
        show_comparison(found, (before.stem, after.stem))
    return OK


def _run(context: Global, entry: str, options: dict[str, Any]) -> "Result":
    from shoal.cli.loads import Watch
    from shoal.load.operations import Operations
    from shoal.load.runner import Run
    from shoal.load.site import site_of
    from shoal.load.summary import summary
    from shoal.model import plan
    from shoal.model.target import LOCAL
    from shoal.operating import project

    order = _order(options)
    target, authority = _target(context, options["target"])
    site = site_of(target, authority, owned=options["owned"])
    if not site.here and not math.isfinite(order.seconds):
        raise click.UsageError("say how long with --for: another machine is not loaded without an end")
    system = project.read(context)
    declared = project.traffic(context, entry)
    planned = plan(system, LOCAL)

    async def drive() -> "Result":
        tokens = _tokens(context, system, here=site.here)
        run = Run(declared, site, order, Operations((*planned.aliases, *planned.routes)), tokens)
        async with Watch(run, quiet=context.verbosity < 0) as stop:
            await run.drive(stop)
        return summary(run, load=system.name, target=target)

    return _loop(drive())


def _loop(work: "Coroutine[Any, Any, Result]") -> "Result":
    try:
        import uvloop
    except ImportError:  # not on every platform
        return asyncio.run(work)
    return uvloop.run(work)


def _order(options: dict[str, Any]) -> "Order":
    from shoal.load.runner import Order

    seed = random.SystemRandom().randrange(1_000_000) if options["seed"] is None else options["seed"]
    for name in ("seconds", "patience"):
        if options[name] is not None and not options[name] > 0:
            raise click.UsageError("--for and --patience need more than no time")
    return Order(
        rate=options["rate"],
        seconds=math.inf if options["seconds"] is None else options["seconds"],
        ramp=options["ramp"],
        seed=seed,
        think=options["think"],
        at_most=options["at_most"],
        visitors=options["visitors"],
        patience=options["patience"],
    )


def _target(context: Global, wanted: str) -> tuple[str, str]:
    """Return the base URL, and the file of the authority that a client trusts."""
    from shoal.operating.running import current

    if wanted:
        return wanted, ""
    run = current(context.root)
    return run.gateway, run.authority


def _tokens(context: Global, system: Any, *, here: bool) -> Any:
    """Make what signs tokens; those of a laptop's key go to no other machine."""
    from shoal.operating.tokens import sign

    known: dict[str, tuple[float, str]] = {}

    def tokens(subject: str, roles: Any, claims: Any) -> str:
        if not here:
            raise ShoalError(
                f"no token is signed for {subject}: the target is another machine, and the key is of this one",
                hint="let the journey sign in there",
            )
        key, now = repr((subject, roles, claims)), time.monotonic()
        if known.get(key, (0.0, ""))[0] <= now:
            known[key] = now + _LIFETIME / 2, sign(context.root, system, subject, roles, claims, _LIFETIME)
        return known[key][1]

    return tokens


def _close(context: Global, result: "Result", options: dict[str, Any]) -> int:
    from shoal.cli.loads import explain, show
    from shoal.load.result import exceeded, to_json

    if options["out"] is not None:
        options["out"].write_bytes(to_json(result))
    if options["output"] == "json":
        print_json(result)
    else:
        show(result)
        explain(result)
    limit = options["max_p99"]
    broken = exceeded(result, p99=math.inf if limit is None else limit, errors=options["max_errors"])
    for text in broken:
        say(f"exceeded: {text}")
    if options["out"] is not None and context.verbosity >= 0:
        say(f"written to {options['out']}")
    bounded = limit is not None or options["max_errors"] is not None
    wrong = any(ends.broken for ends in result.ends.values())
    return FOUND if broken or wrong or (bounded and not result.valid) else OK
