"""Brokers, each by our driver and by the client below it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiormq
import nats
from aiokafka import AIOKafkaProducer

from bench.drivers.amazon import amazon, client
from bench.drivers.work import BODY, STREAM, SUBJECT, USER, published, sent
from bench.side import Ways
from shoal.drivers import broker_admin, open_broker
from shoal.drivers.base import Broker, Stream
from shoal.local import engines
from shoal.local.ports import LOOPBACK, free_port
from shoal.local.urls import aws_url, kafka_url, nats_url, rabbitmq_url

_PASSWORD = "bench"  # noqa: S105 - of a server that ends with the run


@asynccontextmanager
async def _declared(url: str) -> AsyncIterator[Broker]:
    await broker_admin(url).declare([Stream(name=STREAM, subjects=(f"{STREAM}.>",))], [])
    broker = open_broker(url)
    await broker.open()
    try:
        yield broker
    finally:
        await broker.close()


@asynccontextmanager
async def jetstream() -> AsyncIterator[Mapping[str, Ways]]:
    """NATS JetStream, and nats-py."""
    with TemporaryDirectory(prefix="sh-", dir="/tmp") as folder:
        user = engines.nats.NatsUser(name=USER, password=_PASSWORD, publish=(">",), subscribe=(">",))
        options = engines.nats.NatsOptions(directory=Path(folder), users=(user,), port=free_port())
        running = await engines.start(engines.nats.recipe(options), on_line=lambda _line: None)
        try:
            url = nats_url(options.port, USER, _PASSWORD)
            async with _declared(url) as broker:
                client = await nats.connect(f"nats://{LOOPBACK}:{options.port}", user=USER, password=_PASSWORD)
                yield {"Shoal on NATS": published(broker), "nats-py": _nats_py(client.jetstream())}
                await client.close()
        finally:
            await running.process.stop()


def _nats_py(stream: Any) -> Ways:
    async def one(number: str) -> None:
        await stream.publish(SUBJECT, BODY, headers={"Nats-Msg-Id": number})

    async def many(numbers: Sequence[str]) -> None:
        waiting = [await stream.publish_async(SUBJECT, BODY, headers={"Nats-Msg-Id": number}) for number in numbers]
        await asyncio.gather(*waiting)

    return sent(one, many)


@asynccontextmanager
async def kafka() -> AsyncIterator[Mapping[str, Ways]]:
    """Kafka's protocol, and aiokafka; both until every copy in step has it."""
    with TemporaryDirectory(prefix="sh-", dir="/tmp") as folder:
        options = engines.kafka.KafkaOptions(directory=Path(folder), port=free_port())
        running = await engines.start(engines.kafka.recipe(options), on_line=lambda _line: None)
        try:
            async with _declared(kafka_url(options.port)) as broker:
                producer = AIOKafkaProducer(bootstrap_servers=f"{LOOPBACK}:{options.port}", acks="all")
                await producer.start()
                yield {"Shoal on Kafka": published(broker), "aiokafka": _aiokafka(producer)}
                await producer.stop()
        finally:
            await running.process.stop()


def _aiokafka(producer: Any) -> Ways:
    async def send(number: str) -> Any:
        return await producer.send(
            "raw", BODY, key=b"k", partition=0, headers=[("id", number.encode()), ("subject", SUBJECT.encode())]
        )

    async def one(number: str) -> None:
        await (await send(number))

    async def many(numbers: Sequence[str]) -> None:
        await asyncio.gather(*[await send(number) for number in numbers])

    return sent(one, many)


@asynccontextmanager
async def sns() -> AsyncIterator[Mapping[str, Ways]]:
    """FIFO topics of SNS, and aiobotocore; ten at a time are a request."""
    async with (
        amazon() as port,
        _declared(aws_url("sns", port, "100000000001", _PASSWORD, "bench")) as broker,
        client("sns", port) as raw,
    ):
        made = await raw.create_topic(
            Name="raw.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "false"}
        )
        yield {"Shoal on SNS": published(broker), "aiobotocore, SNS": _aiobotocore(raw, made["TopicArn"])}


def _aiobotocore(raw: Any, topic: str) -> Ways:
    def words(number: str) -> dict[str, Any]:
        said = {"subject": {"DataType": "String", "StringValue": SUBJECT}}
        text = {"Message": BODY.decode(), "MessageAttributes": said}
        return {**text, "MessageGroupId": number, "MessageDeduplicationId": number}

    async def one(number: str) -> None:
        await raw.publish(TopicArn=topic, **words(number))

    async def many(numbers: Sequence[str]) -> None:
        for first in range(0, len(numbers), 10):
            entries = [{"Id": number, **words(number)} for number in numbers[first : first + 10]]
            await raw.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)

    return sent(one, many)


@asynccontextmanager
async def rabbitmq() -> AsyncIterator[Mapping[str, Ways]]:
    """RabbitMQ with a stream, and aiormq with the server's confirmation of each message."""
    with TemporaryDirectory(prefix="sh-", dir="/tmp") as folder:
        user = engines.rabbitmq.RabbitUser(name=USER, password=_PASSWORD, operator=True)
        options = engines.rabbitmq.RabbitOptions(
            directory=Path(folder), port=free_port(), erlang_port=free_port(), users=(user,)
        )
        running = await engines.start(engines.rabbitmq.recipe(options), on_line=lambda _line: None)
        try:
            async with _declared(rabbitmq_url(options.port, USER, _PASSWORD)) as broker:
                connection = await aiormq.connect(f"amqp://{USER}:{_PASSWORD}@{LOOPBACK}:{options.port}/shoal")
                channel = await connection.channel(publisher_confirms=True)
                await channel.queue_declare("raw", durable=True, arguments={"x-queue-type": "stream"})
                yield {"Shoal on RabbitMQ": published(broker), "aiormq": _aiormq(channel)}
                await connection.close()
        finally:
            await running.process.stop()


def _aiormq(channel: Any) -> Ways:
    async def one(number: str) -> None:
        properties = aiormq.spec.Basic.Properties(message_id=number, delivery_mode=2)
        await channel.basic_publish(BODY, routing_key="raw", properties=properties)

    async def many(numbers: Sequence[str]) -> None:
        await asyncio.gather(*map(one, numbers))

    return sent(one, many)
