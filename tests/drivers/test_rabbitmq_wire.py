"""What is written for RabbitMQ: messages, what is declared, addresses, and users with their rights."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shoal.drivers.base import Consumer, Message, Stream
from shoal.errors import DeclarationError, EngineError
from shoal.local.engines import rabbitmq
from shoal.model.names import RESERVED

pytest.importorskip("aiormq", reason="needs shoal[rabbitmq]")

from shoal.drivers.rabbitmq import making, wire
from shoal.drivers.rabbitmq.address import read

STREAM = Stream(name="S", subjects=("a.*", "b.>"))
DESK = Consumer(stream="S", name="desk", subjects=("a.*",))
NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def test_a_message_comes_back_as_it_was_written() -> None:
    message = Message(id="i", subject="a.b", body=b"x", headers={"note": "é: ü", "empty": ""})
    letter = wire.letter(7, "a.b", "i", wire.headers(message, NOW), b"x")
    assert (letter.offset, letter.at, letter.message) == (7, NOW, message)


@pytest.mark.parametrize("headers", [{}, {"shoal": 7, "shoal-at": "x"}, {"shoal": "{"}, {"shoal": "[1]"}])
def test_what_something_else_wrote_has_no_headers(headers: dict[str, Any]) -> None:
    letter = wire.letter(7, "a.b", "", headers, b"x")
    assert letter.message == Message(id="message 7", subject="a.b", body=b"x")


@pytest.mark.parametrize(
    "message",
    [
        Message(id="i", subject="a b", body=b""),
        Message(id="i", subject="a.*", body=b""),
        Message(id="i", subject="a." + "x" * 254, body=b""),
        Message(id="i" * 256, subject="a.b", body=b""),
        Message(id="i", subject="a.b", body=b"", headers={"note": "a\r\nforged: yes"}),
        Message(id="i", subject="a.b", body=b"x" * (wire.LARGEST + 1)),
    ],
)
def test_what_amqp_cannot_carry_is_refused(message: Message) -> None:
    with pytest.raises(EngineError):
        wire.check(message, STREAM)


def test_what_is_declared_replaces_what_had_its_name() -> None:
    first = wire.merged(wire.Declared(), [wire.Known(stream=STREAM, made="1")], [DESK])
    wider = Consumer(stream="S", name="desk", subjects=("a.*", "b.>"))
    second = wire.merged(first, [wire.Known(stream=STREAM, made="2")], [wider])
    known = second.taker("b.c.d")
    assert known is not None
    assert (known.made, second.consumer("S", "desk"), second.taker("c.d")) == ("2", wider, None)


def test_patterns_mean_the_same_in_amqp() -> None:
    assert [wire.pattern(subject) for subject in STREAM.subjects] == ["a.*", "b.*.#"]


def test_only_a_queue_that_is_not_there_is_missing() -> None:
    from shoal.drivers.rabbitmq.library import Ended  # noqa: PLC0415 - beside what it is about

    assert Ended(404, "NOT_FOUND - no queue 'S' in vhost 'shoal'").missing
    assert not Ended(404, "NOT_FOUND - home node 'rabbit@localhost' of durable queue 'S' is down").missing


def test_an_address_is_read_and_shows_no_password() -> None:
    address = read("rabbitmq://us%2Fer:p%40ss@[::1]:5673/v%2Fh?tls=1&ca=file")
    assert (address.host, address.port, address.user, address.vhost) == ("::1", 5673, "us/er", "v/h")
    assert address.url == "amqps://us%2Fer:p%40ss@[::1]:5673/v%2Fh"
    assert "p@ss" not in repr(address) + address.place


@pytest.mark.parametrize("url", ["rabbitmq://u:p@h?tsl=1", "rabbitmq://u:p@h?tls=yes", "rabbitmq://h/v"])
def test_a_wrong_address_is_refused(url: str) -> None:
    with pytest.raises(DeclarationError):
        read(url)


def options(*users: rabbitmq.RabbitUser) -> rabbitmq.RabbitOptions:
    return rabbitmq.RabbitOptions(directory=Path("/nowhere"), port=1, erlang_port=2, users=users)


def test_a_user_may_use_what_it_declared_and_nothing_else() -> None:
    user = rabbitmq.RabbitUser(
        name="desk", password="secret", publish=("t.event.a.*",), streams=("T-S",), consumers=("T-S.desk_0",)
    )
    document = json.loads(rabbitmq.render(options(user), ("desk", "gone")))
    rights = {row["user"]: row for row in document["permissions"]}
    topics = {row["exchange"]: re.compile(row["write"]) for row in document["topic_permissions"]}
    assert re.search(rights["desk"]["read"], "T-S")
    assert re.search(rights["desk"]["read"], wire.place_queue(Consumer(stream="T-S", name="desk_0", subjects=())))
    for other in ("T-S2", "place.T-S.desk_1", "place.T-S.other", "", "T.S"):
        assert not re.search(rights["desk"]["read"], other)
    assert topics[wire.EVENTS].search("t.event.a.0")
    for other in ("t.event.a", "t.event.b.0", "xt.event.a.0", "t.event.a.0.1"):
        assert not topics[wire.EVENTS].search(other)
    assert topics[wire.PLACES].search("T-S.desk_0")
    assert not topics[wire.PLACES].search("T-S.desk_1")
    assert rights["desk"]["configure"] == "^$"
    assert {rights["gone"][what] for what in ("configure", "write", "read")} == {"^$"}
    assert [user["password_hash"] for user in document["users"] if user["name"] == "gone"] == [""]
    assert "secret" not in rabbitmq.render(options(user))
    assert "secret" not in repr(user)


def test_the_server_and_the_driver_agree_on_names() -> None:
    assert (rabbitmq.EVENTS, rabbitmq.PLACES, rabbitmq.DECLARED) == (wire.EVENTS, wire.PLACES, wire.DECLARED)
    assert making.DOCUMENT == rabbitmq.DOCUMENT
    assert wire.place_queue(DESK) == f"{rabbitmq.PLACE}S.desk"
    assert "rabbitmq" in RESERVED
