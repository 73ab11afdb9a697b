"""Buses of EventBridge, and the pipes that lead to them."""

from collections.abc import Iterator

from shoal.deploy.aws import naming
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Bus, Pipe
from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

BODY = "$.body"
"""An event as CloudEvents has it: the body of a message (`shoal.runtime.envelope`)."""


def bus(one: Bus, context: Context) -> Iterator[Block]:
    """Write a bus."""
    yield resource(
        "aws_cloudwatch_event_bus", one.name, *items({"name": context.named(one.name)}), notes=context.notes(one)
    )


def pipe(one: Pipe, context: Context) -> Iterator[Block]:
    """Write a pipe, which hands on whole events, under their own type, source and time."""
    known = block("eventbridge_event_bus_parameters", detail_type=f"{BODY}.type", source=f"{BODY}.source",
                  time=f"{BODY}.time")  # fmt: skip
    target = Block(kind="target_parameters", body=items({"input_template": f"<{BODY}>"}, known))
    source = Block(kind="source_parameters", body=(block("sqs_queue_parameters", batch_size=10),))
    arguments: dict[str, Value] = {
        "name": context.named(one.name, limit=naming.PIPE),
        "description": f"Hands on {', '.join(one.events)}"[:512],
        "role_arn": context.at(Ref("role", one.role)),
        "source": context.at(Ref("queue", one.queue)),
        "target": context.at(Ref("bus", one.bus)),
        "depends_on": [Raw(f"aws_iam_role_policy.{one.role}")],
    }
    yield resource("aws_pipes_pipe", one.name, *items(arguments, source, target), notes=context.notes(one))
