"""Where Amazon's engines write their own logs. They would make the same groups, in which lines are kept for ever."""

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.cloud.hcl import resource
from shoal.deploy.terraform.values import Block, Raw, Value, items


def group(label: str, name: str, context: Context) -> Block:
    """Write a group of lines that are kept as long as those of services.

    Args:
        label: What Terraform calls it; with an underscore, as no service's own has one.
        name: As the engine calls it.
        context: Where it belongs.
    """
    kept: dict[str, Value] = {"name": name, "retention_in_days": context.scope.environment.keep_logs}
    return resource("aws_cloudwatch_log_group", label, *items(kept))


def before(*labels: str) -> list[Raw]:
    """List the groups that are there before who writes into them."""
    return [Raw(f"aws_cloudwatch_log_group.{label}") for label in labels]
