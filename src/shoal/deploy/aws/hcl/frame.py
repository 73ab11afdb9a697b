"""What every folder begins with: versions, the provider, the state; and what it gives out."""

from collections.abc import Iterator

from shoal.deploy.aws.hcl import copies, eks
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.hcl.stores import spreads
from shoal.deploy.aws.resources import Door, Operator, Repository, Role, Workload
from shoal.deploy.cloud.hcl import label, output
from shoal.deploy.cloud.switches import variables
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

PROVIDER, RANDOM, PROGRAM = "~> 6.25", "~> 3.7", ">= 1.11"
"""What was validated is what is used."""


def begin(context: Context) -> Iterator[Block]:
    """Write versions, where the state is, the provider and whose account it is."""
    environment, system = context.scope.environment, context.scope.system
    providers = block(
        "required_providers",
        aws={"source": "hashicorp/aws", "version": PROVIDER},
        random={"source": "hashicorp/random", "version": RANDOM},
    )
    state: dict[str, Value] = {
        "bucket": context.scope.state,
        "key": "system.tfstate",
        "region": environment.region,
        "encrypt": True,
        "use_lockfile": True,
    }
    why = "The state holds passwords: its bucket is encrypted, versioned, and read by whoever applies alone."
    backend = Block(kind="backend", labels=("s3",), body=items(state), notes=(why,))
    yield Block(kind="terraform", body=items({"required_version": PROGRAM}, providers, backend))
    tags: Value = {"system": system, "environment": environment.name, "managed-by": "terraform"}
    yield Block(
        kind="provider",
        labels=("aws",),
        body=items({"region": environment.region}, block("default_tags", tags=tags)),
    )
    yield from copies.provider(context)
    if context.scope.passive or environment.standby is not None:
        yield from variables(passive=context.scope.passive, spread=spreads(context))
    yield block("data", "aws_caller_identity", "own")


def end(context: Context) -> Iterator[Block]:
    """Write what others ask for: where clients call, who delivers, and how single tasks are run."""
    if context.all(Door):
        door = context.all(Door)[0]
        where: Value = f"https://{door.host}" if door.certificate else Raw("aws_apigatewayv2_api.main.api_endpoint")
        yield output("address", "Where clients call.", where)
    if any(role.trusts == "pipelines" for role in context.all(Role)):
        yield output("delivery_role", "Whom pipelines become.", Raw("aws_iam_role.delivery.arn"))
    if context.scope.environment.eks:
        yield output("cluster", "What kubectl is asked with, and eksctl.", eks.told(context))
        images: dict[str, Value] = {
            one.name: context.at(Ref("repository", one.name, "url")) for one in context.all(Repository)
        }
        yield output("images", "Where images go.", images)
        return
    yield from _tasks(context)


def _tasks(context: Context) -> Iterator[Block]:
    services: dict[str, Value] = {
        one.name: {
            "image": context.at(Ref("repository", one.name, "url")),
            "service": Raw(f"aws_ecs_service.{one.name}.name"),
            "task": Raw(f"aws_ecs_task_definition.{one.name}.family"),
            "log": Raw(f"aws_cloudwatch_log_group.{one.name}.name"),
        }
        for one in context.all(Workload)
    }
    yield output("services", "What each service is called here.", services)
    tasks: dict[str, Value] = {
        "cluster": Raw("aws_ecs_cluster.main.name"),
        "subnets": Raw("aws_subnet.private[*].id"),
        "groups": {one.name: Raw(f"aws_security_group.{label(one.name)}.id") for one in context.all(Workload)},
    }
    if context.all(Operator):
        tasks["operators"] = [Raw(f"aws_ecs_task_definition.{one.name}.family") for one in context.all(Operator)]
        tasks["operator_group"] = Raw("aws_security_group.operator.id")
    yield output("tasks", "Where and with what migrations and the operator's task are run.", tasks)
