"""``shoal deploy helm``."""

from pathlib import Path

import click

from shoal.cli import output
from shoal.cli.deploying.artifacts import compared, write
from shoal.cli.deploying.targets import planned
from shoal.cli.output import examples
from shoal.cli.program import FOUND, OK, Global

MAKER = "shoal deploy helm"

_EXAMPLES = examples(
    "shoal deploy helm --out chart --target targets/production.toml",
    "shoal deploy helm --out chart --target targets/production.toml --check",
    "shoal deploy helm --out chart && helm upgrade --install shop chart --set services.orders.tag=1.4.0",
)


@click.command("helm", epilog=_EXAMPLES)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the chart.")
@click.option("--target", type=click.Path(path_type=Path), help="Settings of the environment (TOML).")
@click.option("--diff", "show", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; fail (exit code 1) when files are out of date.")
@output.output_option
@click.pass_obj
def command(context: Global, out: Path, target: Path | None, show: bool, check: bool, output: str) -> int:
    """Write the objects of one environment as a chart of Helm.

    They are those of `shoal deploy kubernetes`, without the servers that run in the cluster. Values are images,
    replicas, sizes and the host; whatever else differs is in the environment's file.
    """
    from shoal.deploy.helm.chart import compile_helm

    folder = out if out.is_absolute() else context.root / out
    artifacts = compile_helm(planned(context, folder, [target] if target else [], source=False))
    if show or check:
        changed = compared(folder, artifacts, output, maker=MAKER, quiet=context.verbosity < 0, whole=show)
        return FOUND if check and changed else OK
    write(folder, artifacts, output, maker=MAKER, quiet=context.verbosity < 0)
    return OK
