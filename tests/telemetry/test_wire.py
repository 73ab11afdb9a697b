"""What is written by hand is read by the official messages, whatever authors hand over."""

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans

from shoal import Secret
from shoal.telemetry import logs, spans
from shoal.telemetry.masking import Mask, beginning, end
from shoal.telemetry.spans import Span
from shoal.telemetry.wire import CUT, LONGEST, any_value, varint
from tests.telemetry.received import pairs, plain

TRACE, OWN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
texts = st.text()
scalars = st.one_of(texts, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.binary())
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner, min_size=1), max_leaves=8)


def as_told(value: Any) -> Any:
    """Say what is left of a value: what UTF-8 cannot spell is replaced."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [as_told(item) for item in value]
    if isinstance(value, dict):
        return {as_told(key): as_told(item) for key, item in value.items()}
    return value


@given(values)
def test_values_survive(value: Any) -> None:
    assert plain(AnyValue.FromString(any_value(value))) == as_told(value)


@given(st.integers(0, 2**64 - 1))
def test_numbers_are_varints(number: int) -> None:
    read, shift = 0, 0
    for byte in varint(number):
        read |= (byte & 127) << shift
        shift += 7
    assert read == number


@given(st.one_of(st.integers(2**63), st.complex_numbers(), st.just(Secret("hidden-text")), st.builds(object)))
def test_what_is_no_value_is_told_as_text(value: Any) -> None:
    told = plain(AnyValue.FromString(any_value(value)))
    assert isinstance(told, str)
    assert "hidden-text" not in told


def test_what_contains_itself_is_told_in_part() -> None:
    mask, twice, deep = Mask(), [], {}  # type: ignore[var-annotated]
    twice += [twice, "here", twice]
    deep["more"] = deep
    for hide in (None, mask.hide):
        span = Span(TRACE, OWN, "", "GET", 1, 1, b"", {"twice": twice, "deep": deep}, 2)
        (read,) = ScopeSpans.FromString(spans.encode(span, hide)).spans
        told = pairs(read.attributes)
        assert told["twice"][1] == "here"
        assert set(told["deep"]) == {"more"}


def test_a_long_text_ends_early() -> None:
    assert len(plain(AnyValue.FromString(any_value("x" * (LONGEST + 1))))) == LONGEST
    assert math.isnan(plain(AnyValue.FromString(any_value(math.nan))))


@given(st.integers(0, 20))
def test_a_secret_that_stands_where_a_text_is_cut_is_hidden_whole(shift: int) -> None:
    mask, secret = Mask(["s3cr3t-value"]), "s3cr3t-value"
    said = "." * (LONGEST - len(CUT) - shift) + secret + "." * 100
    for given_ in (said, said.encode()):
        written = spans.encode(Span(TRACE, OWN, "", "GET", 1, 1, b"", {"text": given_}, 2))
        assert mask.suspects(written)
        (read,) = ScopeSpans.FromString(
            spans.encode(Span(TRACE, OWN, "", "GET", 1, 1, b"", {"text": given_}, 2), mask.hide)
        ).spans
        assert "s3cr" not in pairs(read.attributes)["text"]


@pytest.mark.parametrize("shift", range(14))
def test_nothing_of_a_secret_is_left_at_an_end(monkeypatch: pytest.MonkeyPatch, shift: int) -> None:
    monkeypatch.setattr("shoal.telemetry.masking.MASK", Mask(["s3cr3t-value"]))
    said = "." * 50 + "s3cr3t-value" + "." * 50
    assert {*beginning(said, 50 + shift)} <= {".", "*"}
    assert {*end(said, 50 + shift)} <= {".", "*"}


attributes = st.dictionaries(texts, scalars, max_size=5)


@given(texts, attributes, st.integers(1, 5), st.integers(0, 2**63), st.lists(st.tuples(texts, attributes), max_size=3))
def test_a_span_is_read_as_it_was_written(
    name: str, found: dict[str, Any], kind: int, began: int, notes: list[tuple[str, dict[str, Any]]]
) -> None:
    span = Span(TRACE, OWN, OWN[::-1], name, kind, began, b"", dict(found), began + 5)
    for said, more in notes:
        span.note(said, more, 7)
    span.link(TRACE[::-1], OWN)
    span.status, span.message, span.state = 2, name, "rojo=00f067aa0ba902b7"
    (read,) = ScopeSpans.FromString(spans.encode(span)).spans
    assert (read.trace_id.hex(), read.span_id.hex(), read.parent_span_id.hex()) == (TRACE, OWN, OWN[::-1])
    assert (read.name, read.kind) == (as_told(name), kind)
    assert (read.start_time_unix_nano, read.end_time_unix_nano) == (began, began + 5)
    assert {pair.key: plain(pair.value) for pair in read.attributes} == as_told(found)
    assert [(e.name, e.time_unix_nano) for e in read.events] == [(as_told(said), 7) for said, _ in notes]
    assert [(e.trace_id.hex(), e.span_id.hex()) for e in read.links] == [(TRACE[::-1], OWN)]
    assert (read.status.code, read.status.message) == (2, as_told(name))
    assert read.trace_state == "rojo=00f067aa0ba902b7"


@given(texts, attributes, st.sampled_from([*logs.SEVERITIES, "odd"]))
def test_a_log_record_is_read_as_it_was_written(message: str, found: dict[str, Any], level: str) -> None:
    at = time.time_ns()
    (read,) = ScopeLogs.FromString(logs.encode(logs.Record(at, level, message, TRACE, OWN, found))).log_records
    assert (read.time_unix_nano, read.observed_time_unix_nano) == (at, at)
    assert (plain(read.body), read.severity_text) == (as_told(message), level.upper())
    assert read.severity_number == logs.SEVERITIES.get(level, 9)
    assert (read.trace_id.hex(), read.span_id.hex()) == (TRACE, OWN)
    assert {pair.key: plain(pair.value) for pair in read.attributes} == as_told(found)


def test_secrets_are_hidden_wherever_they_stand() -> None:
    mask = Mask(["s3cr3t'\"value"])
    span = Span(TRACE, OWN, "", "GET s3cr3t'\"value", 1, 1, b"", {"a": ["x s3cr3t'\"value y"]}, 2)
    span.set("b", {"deep": b"Bearer abcdef123456"})
    span.fixed = spans.fixed({"text": "select s3cr3t'\"value from x", "line": 7})
    span.note("e s3cr3t'\"value", {"at": "postgres://me:pw@host/x", "json": '{"p":"s3cr3t\'\\"value"}'})
    written = spans.encode(span)
    assert mask.suspects(written)
    (read,) = ScopeSpans.FromString(spans.encode(span, mask.hide)).spans
    assert read.name == "GET ***"
    assert pairs(read.attributes) == {
        "text": "select *** from x", "line": 7, "a": ["x *** y"], "b": {"deep": "Bearer ***"}
    }  # fmt: skip
    assert read.events[0].name == "e ***"
    assert pairs(read.events[0].attributes) == {"at": "postgres://me:***@host/x", "json": '{"p":"***"}'}


@given(st.text(min_size=6), texts, texts)
def test_a_known_secret_is_found_in_any_text(secret: str, before: str, after: str) -> None:
    mask, text = Mask([secret]), f"{before}{secret}{after}"
    assert mask.suspects(text.encode("utf-8", "replace"))
    assert secret not in mask.text(text) or secret in "***"
