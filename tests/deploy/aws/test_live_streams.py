"""What Terraform is to make of streams is made at an emulator, and the driver finds its own there."""

import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from shoal.deploy.aws.hcl import messages as written
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.resources import Queue, Resource, Topic
from shoal.deploy.cloud.streams import declarations
from shoal.deploy.terraform.values import Argument, Block, Call, Raw
from shoal.drivers import broker_admin, open_broker
from shoal.drivers.aws.address import read
from shoal.drivers.aws.client import AwsClient
from shoal.drivers.base import Message
from shoal.drivers.sns import wire
from shoal.local.engines import aws, start
from shoal.local.ports import free_port
from shoal.local.urls import aws_url
from shoal.runtime.declaring import Declarations
from tests.deploy.aws.samples import scope_of
from tests.deploy.samples import CAFE

pytest.importorskip("aiobotocore", reason="needs shoal[aws]")
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of SNS and SQS", allow_module_level=True)

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SCOPE = scope_of(CAFE)
RESOURCES = resources(SCOPE)
DECLARED = msgspec.json.decode(declarations(SCOPE.plan), type=Declarations)
FIRST, LATER = "20260101120000", "20260102120000"
ATTRIBUTES = {
    "deduplication_scope": "DeduplicationScope",
    "fifo_throughput_limit": "FifoThroughputLimit",
    "message_retention_seconds": "MessageRetentionPeriod",
    "visibility_timeout_seconds": "VisibilityTimeout",
}


class Cloud:
    """Does what Terraform would do with a few kinds of its resources."""

    def __init__(self, url: str) -> None:
        self.url, address = url, read(url)
        self.sns, self.sqs = AwsClient("sns", address), AwsClient("sqs", address)
        self.arns: dict[str, str] = {}
        self.urls: dict[str, str] = {}

    async def apply(self, some: list[Resource], since: str) -> None:
        context = Context(scope=SCOPE, resources=RESOURCES)
        for one in some:
            printer: Any = written.topic if isinstance(one, Topic) else written.queue
            for block in printer(one, context):
                await self._make(block, since)

    async def _make(self, block: Block, since: str) -> None:
        kind, name = block.labels
        said: dict[str, Any] = {item.name: item.value for item in block.body if isinstance(item, Argument)}
        if kind == "aws_sns_topic":
            settings = {"FifoTopic": "true", "FifoThroughputScope": said["fifo_throughput_scope"]}
            made = await self.sns.ask("create_topic", Name=said["name"], Attributes=settings)
            self.arns[f"aws_sns_topic.{name}.arn"] = made["TopicArn"]
        elif kind == "aws_sqs_queue":
            settings = {"FifoQueue": "true"} | {theirs: str(said[ours]) for ours, theirs in ATTRIBUTES.items()}
            tags = {wire.SINCE: since, wire.NAME: said["tags"]["shoal-consumer"]} if "tags" in said else {}
            made = await self.sqs.ask("create_queue", QueueName=said["name"], Attributes=settings, tags=tags)
            self.urls[f"aws_sqs_queue.{name}.id"] = made["QueueUrl"]
            about = await self.sqs.ask("get_queue_attributes", QueueUrl=made["QueueUrl"], AttributeNames=["QueueArn"])
            self.arns[f"aws_sqs_queue.{name}.arn"] = about["Attributes"]["QueueArn"]
        elif kind == "aws_sqs_queue_policy":
            policy = {"Policy": json.dumps(self._plain(said["policy"]))}
            await self.sqs.ask("set_queue_attributes", QueueUrl=self.urls[said["queue_url"].text], Attributes=policy)
        else:
            heard = {"FilterPolicy": json.dumps(self._plain(said["filter_policy"]))} if "filter_policy" in said else {}
            topic, queue = self.arns[said["topic_arn"].text], self.arns[said["endpoint"].text]
            settings = {"RawMessageDelivery": "true", **heard}
            await self.sns.ask("subscribe", TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=settings)

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Call):
            return self._plain(value.arguments[0])
        if isinstance(value, Raw):
            return self.arns[value.text]
        if isinstance(value, Mapping):
            return {name: self._plain(one) for name, one in value.items()}
        return [self._plain(one) for one in value] if isinstance(value, list) else value

    async def close(self) -> None:
        await self.sns.close()
        await self.sqs.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud() -> AsyncIterator[Cloud]:
    directory = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    options = aws.AwsOptions(directory=directory, port=free_port())
    running = await start(aws.recipe(options), on_line=lambda _: None)
    found = Cloud(aws_url("sns", options.port, "100000000000", "secret", "cafe"))
    yield found
    await found.close()
    await running.process.kill()
    shutil.rmtree(directory, ignore_errors=True)


async def test_the_driver_finds_its_own_and_hears_what_is_published_with_a_later_hearer_too(cloud: Cloud) -> None:
    streams: list[Resource] = [one for one in RESOURCES if isinstance(one, Topic)]
    queues: list[Resource] = [one for one in RESOURCES if isinstance(one, Queue)]
    late = next(one for one in queues if one.name == "CAFE_TILL-menu-3")
    await cloud.apply([*streams, *(one for one in queues if one is not late)], FIRST)
    admin = broker_admin(cloud.url)
    before = await _queues(cloud)
    await admin.declare(DECLARED.streams, [c for c in DECLARED.consumers if c.name != "menu-3"])
    assert await _queues(cloud) == before, "the driver made nothing anew"
    first = (await admin.positions())["CAFE_TILL"].made
    assert first == FIRST
    await cloud.apply([late], LATER)
    await admin.declare(DECLARED.streams, DECLARED.consumers)
    assert await admin.missing(DECLARED.streams, DECLARED.consumers) == ([], [])
    assert (await admin.positions())["CAFE_TILL"].made == LATER, "who publishes does so once more, for who came later"
    consumer = next(c for c in DECLARED.consumers if c.name == "menu-3")
    broker = open_broker(cloud.url)
    await broker.open()
    try:
        await broker.publish([Message(id="m1", subject=consumer.subjects[0], body=b"{}", headers={}, key="k")])
        (delivery,) = await broker.fetch(consumer, 1, 10.0)
        assert delivery.message.id == "m1"
        await delivery.ack()
    finally:
        await broker.close()


async def _queues(cloud: Cloud) -> set[str]:
    found = await cloud.sqs.ask("list_queues", MaxResults=1000)
    return set(found.get("QueueUrls", ()))
