"""``shoal deploy aws``: Terraform for a system on AWS."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli import output
from shoal.cli.artifacts import compared, written
from shoal.cli.findings import refuse, told
from shoal.cli.output import examples
from shoal.cli.program import FOUND, OK, Global
from shoal.cli.targets import environments
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.deploy.aws.scope import Scope
    from shoal.deploy.aws.settings import Environment

_EXAMPLES = examples(
    "shoal deploy aws --out deploy/aws",
    "shoal deploy aws --out deploy/aws --target targets/aws-production.toml",
    "shoal deploy aws --out deploy/aws --diff",
    "shoal deploy aws --out deploy/aws --check",
    "shoal deploy aws --out deploy/aws && terraform -chdir=deploy/aws/production plan",
)


@click.command("aws", epilog=_EXAMPLES)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the files.")
@click.option(
    "--target", "targets", multiple=True, type=click.Path(path_type=Path), help="Settings of one environment (TOML)."
)
@click.option("--diff", "show", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; fail (exit code 1) when files are out of date.")
@click.option("--source/--no-source", default=True, help="Name the line of Python that each resource comes from.")
@output.output_option
@click.pass_obj
def command(
    context: Global, out: Path, targets: Sequence[Path], show: bool, check: bool, source: bool, output: str
) -> int:
    """Write Terraform for AWS: a folder for each environment, containers on Fargate, engines run by Amazon.

    Without --target there are two environments: dev and production. What AWS cannot express is said.
    """
    from shoal.deploy.aws.compile import compile_aws, findings

    quiet, folder = context.verbosity < 0, out if out.is_absolute() else context.root / out
    found_for = scopes(context, targets, source=source)
    found = findings(found_for)
    refuse("AWS", found)
    artifacts = compile_aws(found_for)
    if show or check:
        changed = compared(folder, artifacts, output, quiet=quiet, whole=show)
        told(found, quiet=quiet)
        return FOUND if check and changed else OK
    from shoal import files

    written(files.write_all(folder, artifacts), output)
    told(found, quiet=quiet)
    return OK


def scopes(context: Global, targets: Sequence[Path], *, source: bool = True) -> "tuple[Scope, ...]":
    """Plan the project's system for each environment."""
    from shoal.deploy.aws.scope import Scope
    from shoal.deploy.aws.target import planned
    from shoal.drivers.valkey.cache import CLUSTER_COMMANDS, COMMANDS
    from shoal.operating import project

    system = project.read(context)
    return tuple(
        Scope(
            plan=planned(system, environment),
            environment=environment,
            source=source,
            valkey=(*COMMANDS, *CLUSTER_COMMANDS),
        )
        for environment in _environments(context.root, targets)
    )


def _environments(root: Path, targets: Sequence[Path]) -> "tuple[Environment, ...]":
    from shoal.deploy.aws.settings import ENVIRONMENTS, read

    if not targets:
        return ENVIRONMENTS
    found = environments(root, targets, read, example="targets/aws-production.toml")
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise DeclarationError(f"two environments are called {twice}", hint="rename one of them")
    return found
