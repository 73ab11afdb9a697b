"""``shoal canary start|status|weigh|promote|abort``."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shoal.cli.acting import acts
from shoal.cli.output import examples, output_option, print_json, print_table, say
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.local.canary import CanaryState

_EXAMPLES = examples(
    "shoal canary start orders --code ../next              10 % of the requests go to the code in ../next",
    "shoal canary start orders --version HEAD~1 --weight 0 blue/green: it only answers who asks for it by header",
    "shoal canary weigh orders 50                          half of them",
    "shoal canary status",
    "shoal canary promote orders                           all of them, and the old version ends",
    "shoal canary abort orders                             none of them, and the new version ends",
)


@click.group("canary", epilog=_EXAMPLES)
def command() -> None:
    """Run two versions of a service side by side, and let the better one win.

    A new version that answers more errors, or more slowly, than the old one is taken away by itself.
    """


@command.command(
    "start",
    epilog=examples(
        "shoal canary start orders --code ../next --weight 10",
        "shoal canary start orders --version v2.1 --weight 0 --override anyone",
    ),
)
@click.argument("service")
@click.option("--code", type=click.Path(path_type=Path, file_okay=False), help="Folder with the new version's modules.")
@click.option("--version", "revision", default="", metavar="REF", help="Revision of the project's git repository.")
@click.option(
    "--weight", default=10.0, show_default=True, type=click.FloatRange(0, 100), help="Percent of the requests."
)
@click.option(
    "--mirror",
    default=0.0,
    type=click.FloatRange(0, 100),
    help="With --weight 0: percent of the GETs that it gets too.",
)
@click.option("--name", default="canary", show_default=True, help="What the new version is called.")
@click.option("--replicas", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes of it.")
@click.option(
    "--override",
    type=click.Choice(["nobody", "inside", "anyone"]),
    help="Whose shoal-version header counts [default: what the service declares; inside].",
)
@click.option("--requests", default=0, type=click.IntRange(0), help="Requests before the first verdict.")
@click.option("--promote", is_flag=True, help="Make it the only one as soon as the verdict is good.")
@click.option("--keep", is_flag=True, help="Do not take it away when the verdict is bad.")
@click.pass_obj
@acts("start canary", "service", "revision", "code")
def start(context: Global, /, service: str, code: Path | None, revision: str, name: str, keep: bool, **how: Any) -> int:
    """Start a new version of SERVICE beside the one that runs, and give it a part of the requests."""
    folder = _code(context, service, code, revision)
    wish = {key: value for key, value in how.items() if value is not None}
    asked = _ask(context, "start", service=service, code=str(folder), version=name, automatic=not keep, **wish)
    say(f"{service}: {name} answers, and gets {asked['weight']:g} % of the requests; shoal canary status")
    return OK


@command.command("status", epilog=examples("shoal canary status", "shoal canary status orders --json"))
@click.argument("service", default="")
@output_option
@click.pass_obj
def status(context: Global, service: str, output: str) -> int:
    """Show both versions' answers and the verdict, also of what has ended; exits with 1 when one was aborted."""
    from shoal.local.canary import read_states
    from shoal.local.layout import layout_of

    states = [s for s in read_states(layout_of(context.root).home) if service in ("", s.service)]
    if output == "json":
        print_json(states)
    elif states:
        _show(states)
    else:
        say("no service has or had a second version; shoal canary start SERVICE --code FOLDER")
    return FOUND if any(state.stage == "aborted" for state in states) else OK


@command.command(
    "weigh", epilog=examples("shoal canary weigh orders 50"), context_settings={"ignore_unknown_options": True}
)
@click.argument("service")
@click.argument("weight", type=click.FloatRange(0, 100))
@click.pass_obj
@acts("weigh canary", "service", "weight")
def weigh(context: Global, service: str, weight: float) -> int:
    """Give the new version of SERVICE another WEIGHT, in percent of the requests."""
    _ask(context, "weigh", service=service, weight=weight)
    say(f"{service}: {weight:g} % of the requests")
    return OK


@command.command("promote", epilog=examples("shoal canary promote orders"))
@click.argument("service")
@click.pass_obj
@acts("promote canary", "service")
def promote(context: Global, service: str) -> int:
    """Make the new version of SERVICE the only one; no request is dropped.

    It serves until the run ends: put its code where the project is, or the next run starts the old one.
    """
    state = _ask(context, "promote", service=service)
    say(f"{service}: all requests go to the code in {state['code']}; the old version has ended")
    return OK


@command.command("abort", epilog=examples("shoal canary abort orders"))
@click.argument("service")
@click.pass_obj
@acts("abort canary", "service")
def abort(context: Global, service: str) -> int:
    """Let the old version of SERVICE answer everything again; no request is dropped."""
    _ask(context, "abort", service=service)
    say(f"{service}: the old version answers everything; the new one has ended")
    return OK


def _ask(context: Global, do: str, **values: object) -> Any:
    from shoal.operating.running import ask

    return ask(context.root, f"canary.{do}", **values)


def _code(context: Global, service: str, code: Path | None, revision: str) -> Path:
    """Find the folder with the new version's modules."""
    from shoal.cli.checkout import checkout
    from shoal.local.layout import layout_of
    from shoal.operating import project

    if (code is None) == (not revision):
        raise click.UsageError("give the new version's code: either --code FOLDER or --version REF")
    if code is not None:
        return code.resolve()
    package = project.read(context).service(service).entry.partition(":")[0].partition(".")[0]
    found = importlib.util.find_spec(package)
    places = [*(found.submodule_search_locations or ()), *filter(None, [found.origin])] if found else []
    if not places:
        raise DeclarationError(f"cannot find the package {package} of {service}", hint="use --code FOLDER")
    return checkout(Path(places[0]).parent, revision, layout_of(context.root).home)


def _show(states: "list[CanaryState]") -> None:
    rows = []
    for s in states:
        mark = s.outcome if s.stage == "running" else s.stage
        counts = (f"{s.stable.requests}/{s.stable.errors}", f"{s.fresh.requests}/{s.fresh.errors}")
        weight = f"{s.weight:g} %" if s.stage in ("running", "promoting") else "-"
        rows.append((s.service, s.version, weight, *counts, mark, s.reason or "-"))
    print_table(("SERVICE", "VERSION", "WEIGHT", "STABLE REQ/5XX", "NEW REQ/5XX", "VERDICT", "WHY"), rows)
