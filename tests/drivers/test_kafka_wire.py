"""What stands in records, and in addresses."""

import sys

import pytest

from shoal.drivers import open_broker
from shoal.drivers.base import Consumer, Message, Stream
from shoal.drivers.base.holding import Holding, Letter
from shoal.drivers.kafka import wire
from shoal.drivers.kafka.address import read
from shoal.errors import DeclarationError, EngineError

KAFKA = "shoal.drivers.kafka"
EVENTS = Stream(name="S", subjects=("a.*",))
LETTERS = Stream(name="L", subjects=("d",), age=0.0)
NOTED = Message(id="1", subject="a.b", body=b"x", headers={"ce-id": "é"}, key="k")


def letter(offset: int, subject: str = "a.b", body: bytes = b"x") -> Letter:
    key, value, headers = wire.record(Message(id=f"m{offset}", subject=subject, body=body), EVENTS)
    return wire.letter(offset, 0, (key, value, headers))


def holding(**fields: int) -> Holding:
    consumer = Consumer(stream="S", name="c", subjects=("a.*",), ack_wait=10.0, max_in_hand=fields.pop("most", 1000))
    return Holding(consumer=consumer, made="t", next=0, committed=0, epoch=1)


def test_a_message_comes_back_as_it_was_but_for_its_key() -> None:
    found = wire.letter(4, 1000, wire.record(NOTED, EVENTS))
    assert found.message == Message(id="1", subject="a.b", body=b"x", headers={"ce-id": "é"})
    assert (found.offset, found.at.timestamp()) == (4, 1.0)


def test_the_key_of_a_record_is_that_of_its_message_and_of_a_letter_its_id() -> None:
    assert wire.record(NOTED, EVENTS)[0] == b"k"
    assert wire.record(NOTED, LETTERS)[0] == b"1"
    assert wire.record(Message(id="1", subject="a.b", body=b""), EVENTS)[0] is None


def test_what_something_else_wrote_is_heard_by_nobody() -> None:
    found = wire.letter(7, 0, (b"key", b"value", [("trace", None)]))
    assert found.message == Message(id="record 7", subject="", body=b"value", headers={"trace": ""})


def test_events_grow_old_and_letters_are_compacted() -> None:
    assert wire.settings(EVENTS, 3)["retention.ms"] == "604800000"
    assert wire.settings(LETTERS, 3)["cleanup.policy"] == "compact"
    assert {wire.settings(EVENTS, copies)["min.insync.replicas"] for copies in (2, 3)} == {"2"}
    assert wire.settings(EVENTS, 1)["unclean.leader.election.enable"] == "false"


def test_what_is_declared_is_read_again_and_rubbish_is_nothing() -> None:
    entry = wire.Entry(consumer=Consumer(stream="S", name="c", subjects=("a",)))
    assert wire.entry(wire.written(entry)[1]) == entry
    assert wire.entry(b"{") is None
    assert wire.entry(None) is None


@pytest.mark.parametrize("subject", ["", "a b", "a..b", "a\nb"])
def test_what_is_no_subject_is_refused(subject: str) -> None:
    with pytest.raises(EngineError, match="no subject"):
        wire.record(Message(id="1", subject=subject, body=b""), EVENTS)


def test_an_address_is_read() -> None:
    address = read("kafka://u%40x:p%2Fw@one:1,two?tls=1&sasl=PLAIN&wait=0.1")
    assert address.servers == (("one", 1), ("two", 9092))
    assert (address.user, address.password, address.mechanism, address.wait) == ("u@x", "p/w", "PLAIN", 0.1)
    assert address.protocol == "SASL_SSL"
    assert "p/w" not in repr(address) + address.place
    assert read("kafka://one").protocol == "PLAINTEXT"


def test_an_unknown_parameter_of_an_address_is_refused() -> None:
    with pytest.raises(DeclarationError, match="unknown parameter 'ssl'"):
        read("kafka://one?ssl=1")


@pytest.mark.parametrize("query", ["tls=true", "tls=", "wait=soon", "wait=-1", "wait=nan", "wait=inf", "sasl=GSSAPI"])
def test_a_value_that_would_mean_something_else_is_refused(query: str) -> None:
    with pytest.raises(DeclarationError, match=query) as caught:
        read(f"kafka://u:secret@one?{query}")
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_a_password_is_not_sent_in_the_clear() -> None:
    with pytest.raises(DeclarationError, match="PLAIN without TLS") as caught:
        read("kafka://u:secret@one?sasl=PLAIN")
    assert "secret" not in str(caught.value)


def test_the_offset_to_commit_is_the_first_that_is_not_answered() -> None:
    held = holding()
    held.read([letter(0), letter(1, "other"), letter(2), letter(3), letter(4, "other")])
    floors = [held.floor]
    (_, first), (_, second), (_, third) = held.take(10, 0.0)
    for one in (second, third, first):
        held.settle(one.offset)
        floors.append(held.floor)
    assert floors == [0, 0, 0, 5]


def test_what_was_answered_before_it_is_read_again_is_not_delivered_again() -> None:
    held = holding()
    held.settle(1)
    held.read([letter(0), letter(1), letter(2)])
    assert [found.offset for _, found in held.take(10, 0.0)] == [0, 2]


def test_what_comes_again_comes_before_what_is_new_and_counts_anew() -> None:
    held = holding()
    held.read([letter(0), letter(1)])
    assert [(number, found.offset) for number, found in held.take(1, 0.0)] == [(1, 0)]
    assert [(number, found.offset) for number, found in held.take(5, 10.0)] == [(2, 0), (3, 1)]


def test_the_end_of_a_letter_is_not_delivered() -> None:
    held = holding()
    held.read([wire.letter(0, 0, wire.end_of("m1"))])
    assert (held.take(5, 0.0), held.floor) == ([], 1)


def test_a_batch_that_compaction_has_emptied_is_passed() -> None:
    held = holding()
    held.read([], 7)
    assert (held.next, held.floor, held.take(5, 0.0)) == (7, 7, [])


def test_records_are_packed_and_read_again_and_an_empty_or_broken_batch_is_none() -> None:
    library = pytest.importorskip("shoal.drivers.kafka.library", reason="needs shoal[kafka]", exc_type=ImportError)
    data = library.pack([(b"k", b"v", [("h", b"x")]), (None, None, ())])
    records, behind = library.unpack(data)
    assert [(r.offset, r.key, r.value, list(r.headers)) for r in records] == [
        (0, b"k", b"v", [("h", b"x")]), (1, None, None, []),
    ]  # fmt: skip
    assert behind == 2
    assert library.unpack(data[:-1]) == ([], 0)
    assert library.unpack(library.pack([])) == ([], 1)


def test_without_the_client_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "aiokafka" or name.startswith(KAFKA)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiokafka", None)
    with pytest.raises(DeclarationError, match="needs the package aiokafka") as caught:
        open_broker("kafka://127.0.0.1:1")
    assert "shoal[kafka]" in caught.value.hint
