"""Topics and queues are those that their driver makes: compared with what it says of them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.aws import naming
from shoal.deploy.aws.hcl import messages as written
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.messages import HELD, LETTERS
from shoal.deploy.aws.resources import Operator, Queue, Topic
from shoal.deploy.aws.workloads import LARGEST
from shoal.deploy.cloud.streams import declarations, parts
from shoal.deploy.terraform.values import Argument, Block, Call
from shoal.drivers.sns import letters, wire
from shoal.runtime.declaring import Declarations
from tests.deploy.aws.samples import of_kind, scope_of, shops
from tests.deploy.samples import shop

NAMES = st.text("ABCdef0123456789_-", min_size=1, max_size=60)


def arguments(block: Block) -> dict[str, Any]:
    return {item.name: item.value for item in block.body if isinstance(item, Argument)}


@given(NAMES, NAMES)
def test_names_are_the_drivers(stream: str, consumer: str) -> None:
    assert naming.topic(stream) == wire.topic_name(stream)
    assert naming.queue(stream, consumer) == wire.queue_name(stream, consumer)
    assert naming.queue(stream, LETTERS) == wire.letters_name(stream)


def test_letters_are_held_as_long_as_the_driver_holds_them() -> None:
    assert letters.HELD_SECONDS == HELD


@pytest.fixture(scope="module")
def context() -> Context:
    return Context(scope=scope_of(shop()), resources=shops())


def test_a_topic_is_set_as_the_driver_sets_it(context: Context) -> None:
    topic = next(iter(of_kind(shops(), Topic).values()))
    found = arguments(next(written.topic(topic, context)))
    wanted = wire.topic_settings()
    assert found["fifo_topic"] is (wanted["FifoTopic"] == "true")
    assert found["content_based_deduplication"] is (wanted["ContentBasedDeduplication"] == "true")
    assert found["fifo_throughput_scope"] == wanted["FifoThroughputScope"]


def test_every_queue_is_set_as_the_driver_sets_it(context: Context) -> None:
    for queue in of_kind(shops(), Queue).values():
        made, policy, heard = (arguments(block) for block in written.queue(queue, context))
        wanted = wire.queue_settings("TOPIC", "QUEUE", queue.hidden)
        assert made["deduplication_scope"] == wanted["DeduplicationScope"]
        assert made["fifo_throughput_limit"] == wanted["FifoThroughputLimit"]
        assert str(made["message_retention_seconds"]) == wanted["MessageRetentionPeriod"]
        assert str(made["visibility_timeout_seconds"]) == wanted["VisibilityTimeout"]
        (statement,) = document(policy["policy"])["Statement"]
        (asked,) = json.loads(wanted["Policy"])["Statement"]
        assert {key: statement[key] for key in ("Sid", "Effect", "Principal", "Action")} == {
            key: asked[key] for key in ("Sid", "Effect", "Principal", "Action")
        }
        subscribed = wire.subscription(queue.subjects)
        assert heard["raw_message_delivery"] is (subscribed["RawMessageDelivery"] == "true")
        assert ("filter_policy" in heard) == ("FilterPolicy" in subscribed)
        if queue.subjects:
            assert document(heard["filter_policy"]) == json.loads(subscribed["FilterPolicy"])
        if queue.consumer:
            assert made["tags"][wire.NAME] == queue.consumer
            assert wire.SINCE in made["tags"]


def document(call: Any) -> Any:
    assert isinstance(call, Call)
    return call.arguments[0]


def test_there_is_a_queue_for_each_consumer_and_each_stream_of_letters() -> None:
    plan = scope_of(shop()).plan
    wanted = {wire.queue_name(c.stream, c.durable) for s in plan.services if s.broker for c in s.broker.consumers}
    wanted |= {wire.letters_name(stream.name) for stream in plan.streams if stream.letters}
    found = {naming.queue(queue.topic, queue.consumer or LETTERS) for queue in of_kind(shops(), Queue).values()}
    assert found == wanted


def test_what_the_operators_task_declares_can_be_read() -> None:
    scope = scope_of(shop())
    found = msgspec.json.decode(declarations(scope.plan), type=Declarations)
    assert {stream.name for stream in found.streams} == {stream.name for stream in scope.plan.streams}


@given(st.integers(200, 4000))
def test_declarations_in_parts_are_the_whole_and_each_fits(largest: int) -> None:
    plan = scope_of(shop()).plan
    found = [*parts(plan, largest)]
    read = [msgspec.json.decode(text, type=Declarations) for text in found]
    whole = msgspec.json.decode(declarations(plan), type=Declarations)
    assert [stream for one in read for stream in one.streams] == [*whole.streams]
    assert {repr(c) for one in read for c in one.consumers} == {repr(c) for c in whole.consumers}
    for text, one in zip(found, read, strict=True):
        assert {c.stream for c in one.consumers} <= {s.name for s in one.streams}, "a consumer comes with its stream"
        assert len(text) <= largest or len(one.streams) == 1


def test_a_larger_system_has_more_than_one_task_for_its_streams() -> None:
    few = of_kind(shops(), Operator)
    assert [*few] == ["operator"]
    (text,) = (str(one.environment["SHOAL_STREAMS"]) for one in few.values())
    assert len(json.dumps(text)) < LARGEST * 2
