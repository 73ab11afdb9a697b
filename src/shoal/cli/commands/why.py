"""``shoal why``."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from shoal.cli.output import examples, output_option, print_json, print_table, style
from shoal.cli.program import OK, Global

if TYPE_CHECKING:
    from shoal.mesh.logline import LogLine
    from shoal.mesh.why import Explanation

_EXAMPLES = examples(
    "shoal why                                      the newest request that failed",
    "shoal why 0af7651916cd43dd8448eb211c80319c     the trace_id of a problem document",
    "shoal why 9e89d281-ba6c --json                 the beginning of a request id",
)


@click.command("why", epilog=_EXAMPLES)
@click.argument("wanted", default="", metavar="[ID]")
@output_option
@click.pass_obj
def command(context: Global, /, wanted: str, output: str) -> int:
    """Explain why a request got what it got, down to the line that declared it.

    ID is a request id or a trace id, or at least 8 characters of one: the `trace_id` of a problem document, or the
    `x-trace-id` of an answer. Without ID, the newest request that failed is explained. Joins what the gateway and the
    proxies between services logged with the declaration and with the logs of the services.
    """
    from shoal.local import evidence
    from shoal.local.admin import admin_of
    from shoal.local.layout import layout_of
    from shoal.local.state import read_state
    from shoal.mesh.layout import layout_for
    from shoal.mesh.why import explain
    from shoal.model import plan
    from shoal.model.target import LOCAL
    from shoal.operating.project import read

    layout = layout_of(context.root)
    planned = plan(read(context), LOCAL)
    mesh = layout_for(planned, root=str(layout.mesh), sockets=str(layout.sockets))
    lines = evidence.hops_of(Path(mesh.access()), wanted.strip().lower())
    now = asyncio.run(evidence.replicas(read_state(context.root), admin_of(mesh)))
    logs = evidence.logged(layout, next((line.trace for line in lines if line.trace), ""))
    found = explain(lines, planned, now, logs)
    if output == "json":
        print_json({**msgspec.to_builtins(found), "logs": msgspec.to_builtins(logs)})
    else:
        _show(found, logs, context.root)
    return OK


def _show(found: "Explanation", logs: "tuple[LogLine, ...]", root: Path) -> None:
    outcome = str(found.status) if found.status else "no answer"
    title = f"{found.method or '?'} {found.path or '?'} got {outcome}"
    click.echo(f"{style(title, sys.stdout, bold=True)}  {found.cause}\n{found.reason}\n", color=True)
    rows = [(s.hop, s.route or "-", str(s.status), f"{s.milliseconds} ms", s.said) for s in found.steps]
    print_table(("HOP", "ROUTE", "STATUS", "TOOK", "ENVOY"), rows)
    if logs:
        click.echo()
        print_table(("PROCESS", "LEVEL", "LOGGED"), [(x.source, x.level, x.message.partition("\n")[0]) for x in logs])
    click.echo(f"\nrequest  {found.request_id or '-'}\ntrace    {found.trace_id or '-'}\ntime     {found.time}")
    if found.strange:
        click.echo(f"unknown  {', '.join(found.strange)}  (Envoy says it; Shoal does not know what it means)")
    if found.advice:
        click.echo(f"to do    {found.advice}")
    if found.declared:
        click.echo(f"policy   {found.policy}\n{_line(root, found.declared)}")
    else:
        click.echo("policy   none of yours: it holds for every request")


def _line(root: Path, declared: str) -> str:
    """Show a line of the author's code, with its place."""
    path, _, number = declared.rpartition(":")
    try:
        text = (root / path).read_text("utf-8").splitlines()[int(number) - 1].strip()
    except (OSError, ValueError, IndexError):
        return declared
    return f"{declared}  {text}"
