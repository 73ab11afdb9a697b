"""``shoal deploy azure``: Terraform for a system on Azure."""

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
    from shoal.deploy.azure.scope import Scope
    from shoal.deploy.azure.settings import Environment

_EXAMPLES = examples(
    "shoal deploy azure --out deploy/azure",
    "shoal deploy azure --out deploy/azure --target targets/azure-production.toml",
    "shoal deploy azure --out deploy/azure --diff",
    "shoal deploy azure --out deploy/azure --check",
    "shoal deploy azure --out deploy/azure && terraform -chdir=deploy/azure/production plan",
)


@click.command("azure", epilog=_EXAMPLES)
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
    """Write Terraform for Azure: a folder for each environment, container apps, engines run by Microsoft.

    Without --target there are two environments: dev and production. What Azure cannot express is said.
    """
    from shoal.deploy.azure.compile import compile_azure, findings

    quiet, folder = context.verbosity < 0, out if out.is_absolute() else context.root / out
    found_for = scopes(context, targets, source=source)
    found = findings(found_for)
    refuse("Azure", found)
    artifacts = compile_azure(found_for)
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
    from shoal.deploy.azure.scope import Scope
    from shoal.deploy.azure.target import planned
    from shoal.operating import project

    system = project.read(context)
    return tuple(
        Scope(plan=planned(system, environment), environment=environment, source=source)
        for environment in _environments(context.root, targets)
    )


def _environments(root: Path, targets: Sequence[Path]) -> "tuple[Environment, ...]":
    from shoal.deploy.azure.settings import ENVIRONMENTS, read

    if not targets:
        return ENVIRONMENTS
    found = environments(root, targets, read, example="targets/azure-production.toml")
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise DeclarationError(f"two environments are called {twice}", hint="rename one of them")
    return found
