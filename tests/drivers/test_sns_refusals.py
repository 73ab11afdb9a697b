"""What SNS and SQS refuse for a time is not taken for a fault of the message, and long work stays hidden."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from shoal.drivers.base import Consumer, Outcome, Published, Stream
from shoal.errors import EngineError, Unavailable
from tests.conformance.harness import message

pytest.importorskip("aiobotocore", reason="needs shoal[aws]")

from botocore.exceptions import CredentialRetrievalError

from shoal.drivers.aws.address import read
from shoal.drivers.aws.client import AwsClient, AwsRefusal
from shoal.drivers.sns.answers import Answers
from shoal.drivers.sns.holding import Holding, _Held
from shoal.drivers.sns.link import Link
from shoal.drivers.sns.publish import Publisher
from shoal.drivers.sns.registry import Registry
from shoal.drivers.sns.wire import Head, Letter, Record


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


async def test_who_has_a_full_hand_waits_for_what_is_in_it_and_not_for_what_went_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = linked(Client())
    consumer = Consumer(stream="T_ORDERS", name="main", subjects=(), max_in_hand=1, ack_wait=30.0)
    holding = Holding(link, consumer, "queue", 0, Answers(link, "queue"))
    letter = Letter("", "", datetime.now(UTC), Head("i", 1, 1), message(1))
    now = asyncio.get_running_loop().time()
    holding.held = {name: _Held(letter, now + due) for name, due in (("gone", -31.0), ("late", -1.0), ("mine", 29.0))}
    waits, wait = list[None](), holding._stirred.wait

    async def waited() -> bool:
        waits.append(None)
        return await wait()

    monkeypatch.setattr(holding._stirred, "wait", waited)
    assert await holding.take(1, 0.02) == []
    assert len(waits) <= 2
    await holding._receive(0)
    assert {*holding.held} == {"late", "mine"}


async def test_who_lends_the_keys_may_be_away_for_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    client = AwsClient("sqs", read("sns:///test?region=eu-central-1"))

    class Keyless:
        async def list_queues(self) -> None:
            raise CredentialRetrievalError(provider="container-role", error_msg="timed out")

    monkeypatch.setattr(client, "_client", Keyless())
    with pytest.raises(Unavailable, match="container-role"):
        await client.ask("list_queues")
