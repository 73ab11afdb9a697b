"""Addresses, names, rules and limits of Service Bus, and what its refusals mean, without a server."""

from xml.etree.ElementTree import tostring

import pytest

from shoal.drivers.base import Message, Stream
from shoal.errors import DeclarationError, EngineError, Unavailable, Undeclared

pytest.importorskip("proton", reason="the client of Service Bus is not installed: pip install 'shoal[servicebus]'")

from proton import timestamp

from shoal.drivers.servicebus import atom, meaning, wire
from shoal.drivers.servicebus.address import read
from shoal.drivers.servicebus.client import Refused
from shoal.drivers.servicebus.engine import Carried, decode

STREAM = Stream(name="T_ORDERS", subjects=("t.event.placed",))


def test_an_address_names_a_namespace_and_perhaps_a_policy() -> None:
    plain = read("servicebus://shop.servicebus.windows.net")
    assert (plain.host, plain.port, plain.tls, plain.policy) == ("shop.servicebus.windows.net", 5671, True, "")
    assert plain.management == "https://shop.servicebus.windows.net"
    policy = read("servicebus://orders:a%2Fb%2B%3D@shop.servicebus.windows.net")
    assert (policy.policy, policy.key) == ("orders", "a/b+=")
    emulator = read("servicebus://p:k@127.0.0.1:7?tls=0&manage=8")
    assert (emulator.port, emulator.tls, emulator.management) == (7, False, "http://127.0.0.1:8")
    assert read("servicebus://p:k@localhost?tls=0").management == "http://localhost:5300"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("servicebus://", "names no namespace"),
        ("servicebus://shop.servicebus.windows.net/orders", "names no namespace, or something in it"),
        ("servicebus://policy@shop.servicebus.windows.net", "half a shared access policy"),
        ("servicebus://shop.servicebus.windows.net?timeout=3", "unknown parameter 'timeout'"),
        ("servicebus://p:k@shop.servicebus.windows.net?tls=0", "secrets in the clear"),
        ("servicebus://p:k@shop.servicebus.windows.net?tls=no", "tls='no'"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        read(url)


def test_names_are_those_that_service_bus_takes() -> None:
    assert wire.subscription_name("orders-2") == "orders-2"
    names = [wire.subscription_name(name) for name in ("Orders", "orders-", "o" * 51, "o s")]
    assert len({*names}) == len(names)
    assert all(len(name) <= 50 and name.isascii() and name == name.lower() for name in names)
    assert wire.rules(("a.b", "a.c", "a.b")) == ["a.b", "a.c"]
    assert wire.rules(("a.b", "a.>")) == ()
    assert wire.rules([f"a.{number}" for number in range(51)]) == ()
    assert len(wire.rule_name("x" * 500)) <= 50


def test_a_message_comes_back_as_it_was_and_what_is_none_of_ours_is_passed_over() -> None:
    sent = Message(id="i" * 200, subject="t.event.placed", body=b"\x00\xff", headers={"note": "é"}, key="k")
    carried = decode(wire.carry(sent, STREAM, 7, "shoal", wire.LARGEST))
    assert (carried.group, wire.made(carried)) == ("shoal", 7)
    assert wire.read(carried, 3) is None  # nobody has put it anywhere
    own = {"x-opt-sequence-number": 9, "x-opt-enqueued-time": timestamp(1_700_000_000_000)}
    stored = decode(
        Carried(
            body=carried.body, subject=carried.subject, properties=carried.properties, annotations=own
        ).encode()
    )  # fmt: skip
    found = wire.read(stored, 3)
    assert found is not None
    assert (found.message, found.offset, found.place) == (sent, 3, 9)
    foreign = decode(Carried(body="text", subject="t", annotations=own).encode())
    assert wire.read(foreign, 3) is None
    assert wire.made(foreign) == 0


@pytest.mark.parametrize(
    "message",
    [
        Message(id="m", subject="a..b", body=b""),
        Message(id="m", subject="a", body=b"", headers={"x": "a\nb"}),
        Message(id="m", subject="a", body=b"", headers={"x-shoal-made": "1"}),
        Message(id="m", subject="a", body=b"x" * 1001),
        Message(id="m", subject="a", body=b"", headers={"x": "é" * 17_000}),
        Message(id="m", subject="a", body=b"", headers={str(n): "x" * 30_000 for n in range(3)}),
    ],
)
def test_what_cannot_be_carried_is_refused(message: Message) -> None:
    small = Stream(name="S", subjects=("a",), largest=0 if message.headers else 1000)
    with pytest.raises(EngineError):
        wire.carry(message, small, 0, "shoal", wire.LARGEST)


def test_refusals_mean_that_it_is_gone_forbidden_wrong_or_may_be_tried_again() -> None:
    kinds = {
        "amqp:not-found": meaning.Gone,
        "amqp:unauthorized-access": Undeclared,
        "com.microsoft:session-cannot-be-locked": meaning.Held,
        "amqp:link:message-size-exceeded": meaning.Untaken,
        "com.microsoft:server-busy": Unavailable,
        "amqp:resource-limit-exceeded": Unavailable,
        "something:new": Unavailable,
    }
    for condition, kind in kinds.items():
        assert type(meaning.error("do it", Refused(condition, "why"))) is kind


def test_descriptions_stand_in_the_order_of_the_reference() -> None:
    text = tostring(atom.subscription(15.0, 2000, 604_800.0), "unicode")
    order = (
        "LockDuration>PT15S",
        "RequiresSession>true",
        "DefaultMessageTimeToLive>PT604800S",
        "MaxDeliveryCount>2000",
    )
    places = [text.index(each) for each in order]
    assert places == sorted(places)
    assert "DefaultMessageTimeToLive" not in tostring(atom.topic(0.0), "unicode")
    rule = tostring(atom.rule("s-1", "t.event.placed"), "unicode")
    assert 'type="CorrelationFilter"' in rule
    assert "Label>t.event.placed<" in rule
    assert 'type="TrueFilter"' in tostring(atom.rule("s-1", ""), "unicode")
