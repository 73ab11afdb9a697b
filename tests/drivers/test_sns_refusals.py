"""What SNS and SQS refuse for a time is not taken for a fault of the message, and long work stays hidden."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from shoal.drivers.aws.client import AwsClient, AwsRefusal
from shoal.drivers.base import Outcome, Published, Stream
from shoal.drivers.sns.answers import Answers
from shoal.drivers.sns.link import Link
from shoal.drivers.sns.publish import Publisher
from shoal.drivers.sns.registry import Registry
from shoal.drivers.sns.wire import Record
from shoal.errors import EngineError, Unavailable
from tests.conformance.harness import message

pytest.importorskip("aiobotocore", reason="needs shoal[aws]")

from shoal.drivers.aws.address import read


class Client:
    """Refuses what has a certain word in it, and keeps what it was asked."""

    def __init__(self, code: str = "", word: str = "m") -> None:
        self._code, self._word = code, word
        self.asked: list[str] = []

    async def ask(self, operation: str, **words: Any) -> Mapping[str, Any]:
        self.asked.append(operation)
        await asyncio.sleep(0)
        if self._code and self._word in str(words):
            raise AwsRefusal(operation, {"Error": {"Code": self._code}})
        return {}


def linked(client: Client) -> Link:
    link = Link(read("sns:///test?region=eu-central-1"))
    link._clients = dict.fromkeys(link._clients, cast("AwsClient", client))
    return link


async def publish(client: Client) -> list[Outcome]:
    link = linked(client)
    registry = Registry(link)
    topic = "arn:aws:sns:eu-central-1:123456789012:T_ORDERS.fifo"
    record = Record(stream=Stream(name="T_ORDERS", subjects=("t.>",)), topic=topic, made=7)
    registry._records = {"T_ORDERS": record}
    return [*await Publisher(link, registry).publish([message(number) for number in (1, 2)])]


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "KMSOptInRequired"])
async def test_keys_that_ran_out_set_no_message_aside(code: str) -> None:
    outcomes = await publish(client := Client(code))
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    assert client.asked == ["publish_batch"]


async def test_the_one_that_no_topic_takes_is_found() -> None:
    first, second = await publish(Client("InvalidParameter", "m2"))
    assert isinstance(first, Published)
    assert isinstance(second, EngineError)
    assert not isinstance(second, Unavailable)


async def test_long_work_stays_hidden_while_much_is_done() -> None:
    client = Client()
    answers = Answers(linked(client), "queue")
    for number in range(100):
        answers.done(str(number))
    answers.hide("long", 5)
    await answers.flush()
    assert client.asked[:2] == ["delete_message_batch", "change_message_visibility_batch"]
    assert len(client.asked) == 11
