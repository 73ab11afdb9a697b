"""Messages become what a topic takes and come back whole; names and rules stay within Amazon's limits."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shoal.drivers.base import Message, Stream
from shoal.drivers.sns import wire
from shoal.errors import EngineError
from tests.conformance.harness import message

STREAM = Stream(name="T_ORDERS", subjects=("t.event.placed",))
LETTERS = Stream(name="T_DEAD", subjects=("t.dead",), age=0.0)
TOPIC = "arn:aws:sns:eu-central-1:123456789012:T_ORDERS.fifo"
RECORD = wire.Record(stream=STREAM, topic=TOPIC, made=7)

LINES = some.text(some.characters(exclude_categories=("Cs", "Cc")))


def received(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what a queue gives out for it."""
    return {
        "MessageId": "name",
        "ReceiptHandle": "receipt",
        "Body": entry["Message"],
        "MessageAttributes": entry["MessageAttributes"],
        "Attributes": {"SentTimestamp": "1500"},
    }


@given(body=some.binary(), headers=some.dictionaries(LINES.filter(bool), LINES), key=LINES, identity=some.text())
def test_a_message_comes_back_whole(body: bytes, headers: dict[str, str], key: str, identity: str) -> None:
    sent = Message(id=identity, subject="t.event.placed", body=body, headers=headers, key=key)
    entry = wire.entry(sent, RECORD, 99)
    letter = wire.letter(received(entry))
    assert letter is not None
    assert letter.message == sent
    assert (letter.head.place, letter.head.made, letter.at.timestamp()) == (99, 7, 1.5)


@given(body=some.binary(), key=some.text(min_size=1), identity=some.text(min_size=1))
def test_a_topic_takes_it(body: bytes, key: str, identity: str) -> None:
    for stream in (STREAM, LETTERS):
        record = wire.Record(stream=stream, topic=TOPIC, made=7)
        entry = wire.entry(Message(id=identity, subject="t.dead", body=body, key=key), record, 99)
        for name in ("MessageGroupId", "MessageDeduplicationId"):
            assert 1 <= len(entry[name]) <= 128
            assert entry[name].isascii()
            assert entry[name].isprintable()
            assert " " not in entry[name]
        texts = [entry["Message"], *(value["StringValue"] for value in entry["MessageAttributes"].values())]
        for text in texts:
            assert text
            assert all(c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") for c in text)


def test_messages_of_a_key_stay_together_and_others_do_not_wait() -> None:
    first, second, other = (wire.entry(message(n, key=k), RECORD, n) for n, k in ((1, "a"), (2, "a"), (3, "b")))
    assert first["MessageGroupId"] == second["MessageGroupId"] != other["MessageGroupId"]
    alone = {wire.entry(message(n), RECORD, n)["MessageGroupId"] for n in range(5)}
    assert len(alone) == 5


def test_what_is_published_into_a_stream_that_was_made_anew_is_not_taken_for_a_repetition() -> None:
    again = wire.Record(stream=STREAM, topic=TOPIC, made=8)
    name = "MessageDeduplicationId"
    assert wire.entry(message(1), RECORD, 1)[name] == wire.entry(message(1), RECORD, 2)[name]
    assert wire.entry(message(1), RECORD, 1)[name] != wire.entry(message(1), again, 3)[name]


@pytest.mark.parametrize("body", [b"x" * wire.LARGEST, b"\xff" * 200_000], ids=["text", "in Base64"])
def test_a_message_that_is_too_large_is_refused_with_its_size(body: bytes) -> None:
    with pytest.raises(EngineError, match="bytes with its headers; its stream takes 262144"):
        wire.entry(Message(id="m", subject="t.event.placed", body=body), RECORD, 1)


def test_what_something_else_wrote_is_no_message() -> None:
    good = received(wire.entry(message(1), RECORD, 1))
    assert wire.letter(good) is not None
    assert wire.letter({**good, "MessageAttributes": {}}) is None
    assert wire.letter({name: value for name, value in good.items() if name != "MessageAttributes"}) is None
    odd = {**good["MessageAttributes"], wire.HEAD: {"DataType": "String", "StringValue": "{}"}}
    assert wire.letter({**good, "MessageAttributes": odd}) is None


@given(some.text("AB_-", min_size=1, max_size=81), some.text("ab_-0", min_size=1, max_size=43))
def test_names_of_queues_fit_and_differ(stream: str, consumer: str) -> None:
    name = wire.queue_name(stream, consumer)
    assert len(name) <= 80
    assert name.endswith(".fifo")
    assert name != wire.queue_name(stream, f"{consumer}1")


def test_a_queue_takes_from_its_topic_only() -> None:
    queue = wire.queue_arn(TOPIC, "T_ORDERS-main.fifo")
    assert queue == "arn:aws:sqs:eu-central-1:123456789012:T_ORDERS-main.fifo"
    (rule,) = json.loads(wire.queue_settings(TOPIC, queue, 5)["Policy"])["Statement"]
    assert (rule["Effect"], rule["Action"], rule["Resource"]) == ("Allow", "sqs:SendMessage", queue)
    assert rule["Principal"] == {"Service": "sns.amazonaws.com"}
    assert rule["Condition"] == {"ArnEquals": {"aws:SourceArn": TOPIC}}


def test_a_filter_names_every_subject() -> None:
    assert json.loads(wire.subscription(("a.b", "a.c"))["FilterPolicy"]) == {"subject": ["a.b", "a.c"]}
    assert "FilterPolicy" not in wire.subscription(())
    for subjects in (("a.*",), ("a.>",), tuple(f"a.{n}" for n in range(wire.MOST_VALUES + 1))):
        with pytest.raises(EngineError, match="no filter of SNS"):
            wire.subscription(subjects)
