"""CloudEvents in both content modes: what is packed is unpacked, and nothing else than an envelope comes out."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal import ShoalError, event
from shoal.drivers.base import Message
from shoal.model.service import Mode
from shoal.runtime.envelope import LARGEST, Envelope, pack, unpack
from shoal.runtime.trace import begin
from shoal.service.codec import Codec, Malformed
from shoal.service.marks import event_mark

EXAMPLES = settings(deadline=None)
NOW = datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
MODES = st.sampled_from(("structured", "binary"))
BARE = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "shop.sold.v1"}


@event("shop.sold", key="item")
class Sold(msgspec.Struct, frozen=True):
    item: str
    note: str | None = None


@event("shop.moved", mode="binary")
class Moved(msgspec.Struct, frozen=True):
    item: str


def packed(sold: Sold, mode: Mode | None = None, now: datetime = NOW) -> Message:
    return pack("sys", "shop", event_mark(Sold), sold, now=now, trace=begin(), mode=mode)


def read(headers: dict[str, str], body: bytes = b'{"item":"a"}') -> Envelope:
    return unpack(Message(id="1", subject="s", body=body, headers=headers))


def without_raw(envelope: Envelope) -> dict[str, Any]:
    return {**msgspec.structs.asdict(envelope), "data": bytes(envelope.data)}


@EXAMPLES
@given(st.builds(Sold, TEXTS, st.none() | TEXTS), MODES, st.datetimes(timezones=st.just(UTC)))
def test_what_is_packed_is_unpacked(sold: Sold, mode: Mode, now: datetime) -> None:
    message = packed(sold, mode, now)
    found = unpack(message)
    assert Codec(Sold).decode(bytes(found.data)) == sold
    assert (found.id, found.source, found.type) == (message.id, "/sys/shop", "shop.sold.v1")
    assert (found.subject or "") == sold.item
    assert found.time == now


@EXAMPLES
@given(st.builds(Sold, TEXTS), MODES)
def test_both_modes_say_the_same(sold: Sold, mode: Mode) -> None:
    first = unpack(packed(sold, mode))
    structured = Message(id="1", subject="s", body=msgspec.json.encode(first))
    assert without_raw(unpack(structured)) == without_raw(first)


@EXAMPLES
@given(TEXTS)
def test_headers_are_printable_ascii_without_spaces_and_quotes(item: str) -> None:
    for value in packed(Sold(item), "binary").headers.values():
        assert all(0x21 <= ord(character) <= 0x7E and character != '"' for character in value)


def test_an_event_travels_in_the_mode_that_it_declares() -> None:
    message = pack("sys", "shop", event_mark(Moved), Moved("a"), now=NOW, trace=None)
    assert message.body == b'{"item":"a"}'
    assert message.headers["ce-type"] == "shop.moved.v1"
    assert message.headers["ce-time"] == "2026-05-04T03:02:01.987654Z"
    assert packed(Sold("a")).headers == {}


def test_structured_bodies_are_valid_by_the_official_schema() -> None:
    schema = json.loads((Path(__file__).parent.parent / "schemas" / "cloudevents-1.0.json").read_text("utf-8"))
    jsonschema.Draft7Validator(schema).validate(json.loads(packed(Sold("a")).body))


def test_the_example_of_the_standard_is_decoded() -> None:
    found = read({**BARE, "CE-Subject": "Euro%20%E2%82%AC%20%F0%9F%98%80"})
    assert found.subject == "Euro € 😀"
    assert read({**BARE, "ce-subject": r'"a \"quoted\" b%20c"'}).subject == 'a "quoted" b c'
    assert read({**BARE, "ce-subject": "%61%e2%82%ac"}).subject == "a€"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({**BARE, "ce-subject": "%C0%A0"}, b"{}"),  # an overlong space
        ({**BARE, "ce-specversion": "0.3"}, b"{}"),
        ({**BARE, "ce-id": ""}, b"{}"),
        ({k: v for k, v in BARE.items() if k != "ce-source"}, b"{}"),
        ({**BARE, "ce-time": "yesterday"}, b"{}"),
        (BARE, b"{"),
        (BARE, b"{} {}"),
        ({**BARE, "ce-datacontenttype": "text/xml"}, b"<a/>"),
        ({**BARE, "Content-Type": "image/png"}, b"{}"),
        ({"Content-Type": "application/cloudevents-batch+json"}, b"[]"),
    ],
)
def test_what_is_no_event_in_binary_mode_is_malformed(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Malformed, match="not a CloudEvent"):
        read(headers, body)


def test_the_type_of_the_data_comes_from_either_header() -> None:
    assert read({**BARE, "Content-Type": "application/json; charset=utf-8"}).datacontenttype is not None
    both = {"Content-Type": "image/png", "ce-datacontenttype": "application/vnd.x+json"}
    for ordered in (both, dict(reversed(both.items()))):
        assert read({**BARE, **ordered}).datacontenttype == "application/vnd.x+json"


def test_a_header_sets_attributes_and_nothing_else() -> None:
    found = read({**BARE, "ce-data": "null", "ce-data_base64": "AAAA", "ce-extension": "kept by nobody", "Other": "x"})
    assert bytes(found.data) == b'{"item":"a"}'


def test_no_body_is_no_data() -> None:
    assert bytes(read(BARE, b"").data) == b"null"


def test_a_message_that_says_that_it_is_structured_is_read_so() -> None:
    whole = packed(Sold("a")).body
    assert read({**BARE, "content-type": "application/CloudEvents+json"}, whole).source == "/sys/shop"


@pytest.mark.parametrize("extra", ['"data_base64":"eyJpdGVtIjoiYSJ9"', '"data":{"item":"a"},"data_base64":null'])
def test_data_may_come_as_bytes(extra: str) -> None:
    body = f'{{"specversion":"1.0","id":"1","source":"/x","type":"t","subject":null,"time":null,{extra}}}'
    found = read({}, body.encode())
    assert bytes(found.data) == b'{"item":"a"}'
    assert found.data_base64 is msgspec.UNSET


@pytest.mark.parametrize("extra", ['"data":1,"data_base64":"MQ=="', '"data_base64":"!"', '"data_base64":"ew=="'])
def test_bytes_that_are_no_data_are_malformed(extra: str) -> None:
    with pytest.raises(Malformed):
        read({}, f'{{"specversion":"1.0","id":"1","source":"/x","type":"t",{extra}}}'.encode())


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_an_event_that_no_broker_would_take_is_refused(mode: Mode) -> None:
    with pytest.raises(ShoalError, match="an event may have"):
        packed(Sold("a", "x" * LARGEST), mode)


NAMES = st.sampled_from((*BARE, "ce-time", "ce-subject", "ce-datacontenttype", "Content-Type", "CE-ID", "x"))
VALUES = TEXTS | st.sampled_from((*BARE.values(), "%", "%f", '"', '"\\"', "application/json", "2026-01-01T00:00:00Z"))
BODIES = st.binary() | st.sampled_from((b"{}", b"[" * 5000, b'{"id":"1","source":"x","type":"y","data_base64":"e30="}'))


@EXAMPLES
@given(st.dictionaries(NAMES, VALUES), BODIES, st.booleans())
def test_whatever_arrives_is_an_envelope_or_malformed(headers: dict[str, str], body: bytes, complete: bool) -> None:
    message = Message(id="1", subject="s", body=body, headers={**BARE, **headers} if complete else headers)
    try:
        found = unpack(message)
    except Malformed:
        return
    assert isinstance(found, Envelope)
    assert msgspec.json.decode(msgspec.json.encode(found)) is not None  # its data is JSON


@EXAMPLES
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, lambda s: st.lists(s) | st.dictionaries(TEXTS, s))
)
def test_any_json_is_an_envelope_or_malformed(value: object) -> None:
    for body in (value, {"specversion": "1.0", "id": "1", "source": "/x", "type": "t", "data": value}):
        try:
            unpack(Message(id="1", subject="s", body=msgspec.json.encode(body)))
        except Malformed:
            assert body is value
