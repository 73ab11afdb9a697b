"""Topics and queues, as their driver makes them."""

from collections.abc import Iterator

from shoal.deploy.aws import naming
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.messages import LETTERS
from shoal.deploy.aws.resources import Queue, Topic
from shoal.deploy.cloud.hcl import json, label, resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

KEPT = 14 * 86_400
"""Seconds: as long as a queue keeps a message at most."""


def topic(one: Topic, context: Context) -> Iterator[Block]:
    """Write a topic."""
    yield resource(
        "aws_sns_topic",
        one.name,
        *items(
            {
                "name": naming.topic(one.name),
                "fifo_topic": True,
                "content_based_deduplication": False,
                "fifo_throughput_scope": "MessageGroup",
                "kms_master_key_id": context.at(Ref("key", "data")),
            }
        ),
        notes=context.notes(one),
    )


def queue(one: Queue, context: Context) -> Iterator[Block]:
    """Write a queue, who may write into it, and what it hears."""
    name = naming.queue(one.topic, one.consumer or LETTERS)
    arn = Raw(f"aws_sns_topic.{label(one.topic)}.arn")
    here = {"arn": Raw(f"aws_sqs_queue.{label(one.name)}.arn"), "id": Raw(f"aws_sqs_queue.{label(one.name)}.id")}
    tags: dict[str, Value] = {
        "shoal-consumer": one.consumer,
        "shoal-since": Raw('formatdate("YYYYMMDDhhmmss", timestamp())'),
    }
    arguments: dict[str, Value] = {
        "name": name,
        "fifo_queue": True,
        "content_based_deduplication": False,
        "deduplication_scope": "messageGroup",
        "fifo_throughput_limit": "perMessageGroupId",
        "message_retention_seconds": KEPT,
        "visibility_timeout_seconds": one.hidden,
        "sqs_managed_sse_enabled": True,
        **({"tags": tags} if one.part else {}),
    }
    body = items(arguments)
    why = "A queue hears nothing from before it was there: since when it hears stays as it was written first."
    if one.part:
        kept = block("lifecycle", ignore_changes=[Raw('tags["shoal-since"]'), Raw('tags_all["shoal-since"]')])
        body = (*body, Block(kind=kept.kind, body=kept.body, notes=(why,)))
    yield resource("aws_sqs_queue", one.name, *body, notes=context.notes(one))
    yield resource(
        "aws_sqs_queue_policy", one.name, *items({"queue_url": here["id"], "policy": _policy(here["arn"], arn)})
    )
    heard = {"filter_policy": json({"subject": [*one.subjects]})} if one.subjects else {}
    yield resource(
        "aws_sns_topic_subscription",
        one.name,
        *items({"topic_arn": arn, "protocol": "sqs", "endpoint": here["arn"], "raw_message_delivery": True, **heard}),
    )


def _policy(queue: Raw, topic: Raw) -> Value:
    statement: dict[str, Value] = {
        "Sid": "OnlyItsTopic",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return json({"Version": "2012-10-17", "Statement": [statement]})
