"""Make topics, queues and subscriptions, or adapt those that there are."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shoal.drivers.base import Consumer, Stream
from shoal.drivers.base.together import together
from shoal.drivers.sns import wire
from shoal.drivers.sns.holding import hidden
from shoal.drivers.sns.letters import HELD_SECONDS
from shoal.drivers.sns.link import Gone, Lane, Link
from shoal.drivers.sns.registry import Registry
from shoal.drivers.sns.wire import Record

_PAGE = {"list_queues": {"MaxResults": 1000}}
"""Queues are given out in pages only to who says how large."""


async def pages(link: Link, lane: Lane, operation: str, part: str, **words: object) -> Sequence[Any]:
    """List everything of a kind."""
    found: list[Any] = []
    token: dict[str, str] = {}
    while True:
        answer = await link.ask(lane, operation, **words, **_PAGE.get(operation, {}), **token)
        found += answer.get(part, ())
        if not answer.get("NextToken"):
            return found
        token = {"NextToken": answer["NextToken"]}


async def topics(link: Link) -> frozenset[str]:
    """List the ARNs of all topics."""
    return frozenset(topic["TopicArn"] for topic in await pages(link, "sns", "list_topics", "Topics"))


async def subscriptions(link: Link, topic: str) -> Mapping[str, str]:
    """List the subscriptions of a topic, by the ARN of the queue that hears."""
    found = await pages(link, "sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
    return {one["Endpoint"]: one["SubscriptionArn"] for one in found}


async def stream(link: Link, registry: Registry, declared: Stream, present: frozenset[str], now: int) -> None:
    """Make a topic, and where messages stay until they are removed, the queue that keeps them."""
    former = registry.known(declared.name)
    name, settings = wire.topic_name(declared.name), wire.topic_settings()
    topic = (await link.ask("sns", "create_topic", Name=name, Attributes=settings))["TopicArn"]
    made = now
    if former is not None:
        made = former.made if topic == former.topic and topic in present else max(now, former.made + 1)
    record = Record(stream=declared, topic=topic, made=made)
    if wire.keeps(declared):
        queue = wire.letters_name(declared.name)
        await _queue(link, record, queue, HELD_SECONDS, {})
        await _hear(link, record, queue, (), await subscriptions(link, topic))
    if record != former:
        await registry.write(record)


async def consumers(link: Link, registry: Registry, record: Record, declared: Sequence[Consumer], now: int) -> None:
    """Make the queues of consumers and let them hear.

    Since when a queue is there is written on it before it hears, and on its stream after: whatever breaks off in
    between, the next time finds the queue younger than its stream.
    """
    heard = await subscriptions(link, record.topic)
    since = 0 if wire.keeps(record.stream) else max(now, record.made + 1)
    ages = await together(_consumer(link, record, consumer, since, heard) for consumer in declared)
    if max(ages) > record.made:
        await registry.write(msgspec.structs.replace(record, made=max(ages)))


async def _consumer(link: Link, record: Record, declared: Consumer, since: int, heard: Mapping[str, str]) -> int:
    """Make the queue of a consumer; return since when it hears everything."""
    queue = wire.queue_name(record.stream.name, declared.name)
    tags = {wire.SINCE: str(since), wire.NAME: declared.name}
    url, new = await _queue(link, record, queue, hidden(declared), tags)
    if not new and wire.queue_arn(record.topic, queue) in heard:
        found = (await link.ask("sqs", "list_queue_tags", QueueUrl=url)).get("Tags", {})
        since = int(found.get(wire.SINCE, "0"))
    elif not new:  # what was published meanwhile went by
        await link.ask("sqs", "tag_queue", QueueUrl=url, Tags=tags)
    await _hear(link, record, queue, declared.subjects, heard)
    return since


async def _queue(link: Link, record: Record, queue: str, seconds: int, tags: Mapping[str, str]) -> tuple[str, bool]:
    """Make a queue, or adapt the one that there is; say whether it is new."""
    settings = wire.queue_settings(record.topic, wire.queue_arn(record.topic, queue), seconds)
    try:
        url = (await link.ask("sqs", "get_queue_url", QueueName=queue))["QueueUrl"]
    except Gone:
        answer = await link.ask("sqs", "create_queue", QueueName=queue, Attributes=settings, tags=dict(tags))
        return answer["QueueUrl"], True
    changed = {name: value for name, value in settings.items() if name != "FifoQueue"}
    await link.ask("sqs", "set_queue_attributes", QueueUrl=url, Attributes=changed)
    return url, False


async def _hear(link: Link, record: Record, queue: str, subjects: Sequence[str], heard: Mapping[str, str]) -> None:
    """Subscribe a queue, or change what it hears."""
    endpoint, settings = wire.queue_arn(record.topic, queue), wire.subscription(subjects)
    if endpoint not in heard:
        words = {"TopicArn": record.topic, "Protocol": "sqs", "Endpoint": endpoint, "Attributes": settings}
        await link.ask("sns", "subscribe", ReturnSubscriptionArn=True, **words)
        return
    policy = settings.get("FilterPolicy", "{}")
    words = {"SubscriptionArn": heard[endpoint], "AttributeName": "FilterPolicy", "AttributeValue": policy}
    await link.ask("sns", "set_subscription_attributes", **words)
