"""Messages become what a topic takes and come back whole; names, labels and filters stay within Pub/Sub's limits."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shoal.drivers.base import Consumer, Message, Stream
from shoal.drivers.base.declared import ConsumerRecord, StreamRecord
from shoal.drivers.pubsub import records, wire
from shoal.drivers.pubsub.address import read
from shoal.errors import DeclarationError, EngineError
from tests.conformance.harness import message

STREAM = Stream(name="T_ORDERS", subjects=("t.event.placed",))
LETTERS = Stream(name="T_DEAD", subjects=("t.dead",), age=0.0)
RECORD = StreamRecord(stream=STREAM, made=7)

LINES = some.text(some.characters(exclude_categories=("Cs", "Cc")))
SUBJECTS = some.lists(some.text("abc.*_-1", min_size=1), min_size=1, max_size=30).map(tuple)


def received(entry: dict[str, object]) -> dict[str, object]:
    """Return what a subscription gives out for it."""
    return {"ackId": "answer", "message": {**entry, "messageId": "1", "publishTime": "2026-01-02T03:04:05.678Z"}}


@given(body=some.binary(), headers=some.dictionaries(LINES.filter(bool), LINES), key=LINES, identity=some.text())
def test_a_message_comes_back_whole(body: bytes, headers: dict[str, str], key: str, identity: str) -> None:
    sent = Message(id=identity, subject="t.event.placed", body=body, headers=headers, key=key)
    found = wire.read(received(wire.entry(sent, RECORD, 99)))
    assert found is not None
    assert found.message == sent
    assert (found.head.place, found.head.made, found.at.isoformat()) == (99, 7, "2026-01-02T03:04:05.678000+00:00")


@given(key=some.text())
def test_a_key_fits_and_letters_have_none(key: str) -> None:
    sent = Message(id="m", subject="t.event.placed", body=b"", key=key * 300)
    assert len(str(wire.entry(sent, RECORD, 1).get("orderingKey", "")).encode()) <= 1024
    assert ("orderingKey" in wire.entry(sent, RECORD, 1)) == bool(key)
    assert "orderingKey" not in wire.entry(sent, StreamRecord(stream=LETTERS, made=7), 1)
    assert wire.entry(sent, RECORD, 1, 3).get("orderingKey", "") in (["0", "1", "2"] if key else [""])


def test_a_message_that_is_too_large_is_refused_with_its_size_and_a_batch_fits_a_request() -> None:
    with pytest.raises(EngineError, match="bytes with its headers; its stream takes 7340032"):
        wire.entry(Message(id="m", subject="t.event.placed", body=b"x" * wire.LARGEST), RECORD, 1)
    assert len(base64.b64encode(b"x" * wire.LARGEST)) < 10_000_000


@pytest.mark.parametrize("subject", ["", "a b", "a..b", "a." + "x" * 1024])
def test_what_is_no_subject_is_refused(subject: str) -> None:
    with pytest.raises(EngineError, match="is no subject"):
        wire.entry(message(1, subject), RECORD, 1)


def test_what_something_else_published_is_no_message() -> None:
    good = wire.entry(message(1), RECORD, 1)
    assert wire.read(received(good)) is not None
    odds: list[dict[str, object]] = [{**good, "attributes": {}}, {**good, "data": "!"}, {**good, "data": ""}, {}]
    for odd in odds:
        assert wire.read(received(odd)) is None


@given(some.text("AB_-", min_size=1, max_size=120), some.text("ab_-0", min_size=1, max_size=250))
def test_names_fit_and_differ(stream: str, consumer: str) -> None:
    names = [wire.subscription_name(stream, name) for name in (consumer, f"{consumer}1")]
    names += [
        records.topic_name(ConsumerRecord(consumer=Consumer(stream=stream, name=name, subjects=()), since=0))
        for name in (consumer, f"{consumer}1")
    ]
    assert all(len(name) <= 255 for name in names)
    assert len({*names}) == len(names)


@given(subjects=SUBJECTS, since=some.integers(0, 2**52), largest=some.integers(0, 2**40))
def test_a_record_comes_back_out_of_labels_as_they_are_allowed(
    subjects: tuple[str, ...], since: int, largest: int
) -> None:
    for record in (
        StreamRecord(stream=Stream(name="T", subjects=subjects, largest=largest), made=since),
        ConsumerRecord(consumer=Consumer(stream="T", name="c", subjects=subjects), since=since),
    ):
        labels = records.pack(record)
        assert records.unpack({**labels, "team": "fish"}) == record
        assert all(re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name) for name in labels)
        assert all(re.fullmatch(r"[a-z0-9_-]{1,63}", value) for value in labels.values())


def test_a_record_that_is_too_long_is_refused_and_other_topics_have_none() -> None:
    subjects = tuple(base64.b16encode(bytes([a, b, a ^ b])).decode() for a in range(64) for b in range(64))
    with pytest.raises(EngineError, match="T has too many subjects"):
        records.pack(StreamRecord(stream=Stream(name="T", subjects=subjects), made=1))
    for labels in ({}, {"team": "fish"}, {"shoal-00": "fish"}, {"shoal-00": "8"}):
        assert records.unpack(labels) is None


def test_a_filter_looks_at_the_part_only_and_time_in_hand_is_within_bounds() -> None:
    def described(*subjects: str) -> object:
        return wire.subscription("topic", 10, 60.0, subjects).get("filter")

    assert described("a.b.0", "a.c.0") == 'attributes.tail = "0"'
    for subjects in ((), ("a.0", "a.1"), ("a.*",), ("a.>",), ('a."',), ("a." + "x" * 250,)):
        assert described(*subjects) is None
    kept = [wire.subscription("topic", 10, days * 86_400.0, ())["messageRetentionDuration"] for days in (0, 7, 99)]
    assert kept == ["600s", "604800s", "2678400s"]
    waits = [Consumer(stream="T", name="c", subjects=(), ack_wait=wait) for wait in (0.3, 10.2, 3600.0)]
    assert [wire.deadline(consumer) for consumer in waits] == [10, 11, 600]


def test_an_address_names_a_project_and_perhaps_a_region() -> None:
    plain, regional = (
        read("pubsub:///my-project"),
        read("pubsub://europe-west1-pubsub.googleapis.com/my-project?wait=5"),
    )
    assert (plain.place, plain.project, plain.emulated) == ("https://pubsub.googleapis.com", "my-project", False)
    assert (regional.place, regional.wait) == ("https://europe-west1-pubsub.googleapis.com", 5.0)
    local = read("pubsub://127.0.0.1:8085/my-project?tls=0")
    assert (local.place, local.emulated) == ("http://127.0.0.1:8085", True)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("pubsub:///", "names no project"),
        ("pubsub:///Project", "names no project"),
        ("pubsub://u:p@host/my-project", "a user or a password"),
        ("pubsub:///my-project?region=x", "unknown parameter 'region'"),
        ("pubsub:///my-project?wait=soon", "wait='soon'"),
        ("pubsub:///my-project?wait=0", "wait='0'"),
        ("pubsub://example.com/my-project?tls=0", "in the clear"),
    ],
)
def test_an_address_that_says_something_else_is_refused(url: str, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        read(url)
