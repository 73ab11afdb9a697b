"""``shoal deploy aws``: Terraform for a system on AWS."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli.deploying import clouds
from shoal.cli.output import examples
from shoal.cli.program import Global

if TYPE_CHECKING:
    from shoal.deploy.aws.scope import Scope

_EXAMPLES = examples(
    "shoal deploy aws --out deploy/aws",
    "shoal deploy aws --out deploy/aws --target targets/aws-production.toml",
    "shoal deploy aws --out deploy/aws --diff",
    "shoal deploy aws --out deploy/aws --target targets/aws-eks.toml",
    "shoal deploy aws --out deploy/aws --check",
    "shoal deploy aws --out deploy/aws && terraform -chdir=deploy/aws/production plan",
)


@click.command("aws", epilog=_EXAMPLES)
@clouds.options
@click.pass_obj
def command(
    context: Global, out: Path, targets: Sequence[Path], show: bool, check: bool, source: bool, output: str
) -> int:
    """Write Terraform for AWS: a folder for each environment, containers on Fargate or EKS, engines run by Amazon.

    Without --target there are two environments: dev and production. What AWS cannot express is said.
    """
    from shoal.deploy.aws.compile import compile_aws, findings

    found = scopes(context, targets, source=source)
    return clouds.deliver(
        context, "AWS", out, findings(found), lambda: compile_aws(found), show=show, check=check, form=output
    )


def scopes(context: Global, targets: Sequence[Path], *, source: bool = True) -> "tuple[Scope, ...]":
    """Plan the project's system for each environment."""
    from shoal.deploy.aws.scope import Scope
    from shoal.deploy.aws.settings import ENVIRONMENTS, read
    from shoal.deploy.aws.target import planned
    from shoal.drivers.valkey.cache import CLUSTER_COMMANDS, COMMANDS
    from shoal.operating import project

    system, valkey = project.read(context), (*COMMANDS, *CLUSTER_COMMANDS)
    example = "targets/aws-production.toml"
    return tuple(
        Scope(plan=planned(system, environment), environment=environment, source=source, valkey=valkey)
        for environment in clouds.settings(context.root, targets, read, example=example, otherwise=ENVIRONMENTS)
    )
