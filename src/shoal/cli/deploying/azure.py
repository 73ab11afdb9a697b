"""``shoal deploy azure``: Terraform for a system on Azure."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli.deploying import clouds
from shoal.cli.output import examples
from shoal.cli.program import Global

if TYPE_CHECKING:
    from shoal.deploy.azure.scope import Scope

_EXAMPLES = examples(
    "shoal deploy azure --out deploy/azure",
    "shoal deploy azure --out deploy/azure --target targets/azure-production.toml",
    "shoal deploy azure --out deploy/azure --diff",
    "shoal deploy azure --out deploy/azure --check",
    "shoal deploy azure --out deploy/azure && terraform -chdir=deploy/azure/production plan",
)


@click.command("azure", epilog=_EXAMPLES)
@clouds.options
@click.pass_obj
def command(
    context: Global, out: Path, targets: Sequence[Path], show: bool, check: bool, source: bool, output: str
) -> int:
    """Write Terraform or Bicep for Azure: a folder for each environment, container apps or AKS, Microsoft's engines.

    Without --target there are two environments: dev and production. What Azure cannot express is said.
    """
    from shoal.deploy.azure.compile import compile_azure, findings

    found = scopes(context, targets, source=source)
    return clouds.deliver(
        context, "Azure", out, findings(found), lambda: compile_azure(found), show=show, check=check, form=output
    )


def scopes(context: Global, targets: Sequence[Path], *, source: bool = True) -> "tuple[Scope, ...]":
    """Plan the project's system for each environment."""
    from shoal.deploy.azure.scope import Scope
    from shoal.deploy.azure.settings import ENVIRONMENTS, read
    from shoal.deploy.azure.target import planned
    from shoal.operating import project

    system = project.read(context)
    example = "targets/azure-production.toml"
    return tuple(
        Scope(plan=planned(system, environment), environment=environment, source=source)
        for environment in clouds.settings(context.root, targets, read, example=example, otherwise=ENVIRONMENTS)
    )
