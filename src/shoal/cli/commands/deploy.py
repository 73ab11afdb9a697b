"""``shoal deploy``: files that a person can review, for the place where the system is to run."""

from collections.abc import Sequence
from pathlib import Path

import click

from shoal.cli import output
from shoal.cli.deploying import argocd, aws, azure, gcp, helm, pipelines
from shoal.cli.deploying.artifacts import compared, write
from shoal.cli.deploying.findings import refuse, told
from shoal.cli.deploying.targets import planned
from shoal.cli.output import examples
from shoal.cli.program import FOUND, OK, Global

MAKER = "shoal deploy kubernetes"

_EXAMPLES = examples(
    "shoal deploy kubernetes --out deploy",
    "shoal deploy kubernetes --out deploy --target targets/staging.toml --target targets/production.toml",
    "shoal deploy kubernetes --out deploy --diff",
    "shoal deploy kubernetes --out deploy --check",
    "shoal deploy kubernetes --out deploy && kubectl diff -k deploy/overlays/staging",
)


@click.group("deploy", epilog=_EXAMPLES)
def command() -> None:
    """Write what a platform needs to run the system; nothing is applied."""


command.add_command(pipelines.command)
command.add_command(argocd.command)
command.add_command(aws.command)
command.add_command(azure.command)
command.add_command(gcp.command)
command.add_command(helm.command)


@command.command("kubernetes", epilog=_EXAMPLES)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the files.")
@click.option(
    "--target", "targets", multiple=True, type=click.Path(path_type=Path), help="Settings of one environment (TOML)."
)
@click.option("--diff", "show", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; fail (exit code 1) when files are out of date.")
@click.option("--source/--no-source", default=True, help="Name the line of Python that each object comes from.")
@output.output_option
@click.pass_obj
def kubernetes(
    context: Global, out: Path, targets: Sequence[Path], show: bool, check: bool, source: bool, output: str
) -> int:
    """Write manifests for Kubernetes: a Kustomize base, an overlay for each environment, images.

    Without --target there are three environments: dev, staging, production. What a target cannot express is said.
    """
    from shoal.deploy.kubernetes.compile import compile_kubernetes, findings

    folder = out if out.is_absolute() else context.root / out
    scope = planned(context, folder, targets, source=source)
    found = findings(scope)
    refuse("Kubernetes", found)
    artifacts = compile_kubernetes(scope)
    if show or check:
        changed = compared(folder, artifacts, output, maker=MAKER, quiet=context.verbosity < 0, whole=show)
        told(found, context.verbosity)
        return FOUND if check and changed else OK
    write(folder, artifacts, output, maker=MAKER, quiet=context.verbosity < 0)
    told(found, context.verbosity)
    return OK
