"""``shoal deploy gcp``: Terraform for a system on Google Cloud."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli.deploying import clouds
from shoal.cli.output import examples
from shoal.cli.program import Global

if TYPE_CHECKING:
    from shoal.deploy.gcp.scope import Scope

_EXAMPLES = examples(
    "shoal deploy gcp --out deploy/gcp",
    "shoal deploy gcp --out deploy/gcp --target targets/gcp-production.toml",
    "shoal deploy gcp --out deploy/gcp --diff",
    "shoal deploy gcp --out deploy/gcp --check",
    "shoal deploy gcp --out deploy/gcp && terraform -chdir=deploy/gcp/production plan",
)


@click.command("gcp", epilog=_EXAMPLES)
@clouds.options
@click.pass_obj
def command(
    context: Global, out: Path, targets: Sequence[Path], show: bool, check: bool, source: bool, output: str
) -> int:
    """Write Terraform for Google Cloud: a folder for each environment, Cloud Run or GKE, engines run by Google.

    Without --target there are two environments: dev and production. What Google Cloud cannot express is said.
    """
    from shoal.deploy.gcp.compile import compile_gcp, findings

    found = scopes(context, targets, source=source)
    return clouds.deliver(
        context, "Google Cloud", out, findings(found), lambda: compile_gcp(found), show=show, check=check, form=output
    )


def scopes(context: Global, targets: Sequence[Path], *, source: bool = True) -> "tuple[Scope, ...]":
    """Plan the project's system for each environment."""
    from shoal.deploy.gcp.scope import Scope
    from shoal.deploy.gcp.settings import ENVIRONMENTS, read
    from shoal.deploy.gcp.target import planned
    from shoal.operating import project

    system = project.read(context)
    example = "targets/gcp-production.toml"
    return tuple(
        Scope(plan=planned(system, environment), environment=environment, source=source)
        for environment in clouds.settings(context.root, targets, read, example=example, otherwise=ENVIRONMENTS)
    )
