"""Comparing answers: nothing differs from itself, every difference is found, and no secret is told."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shoal.model.parity import Reply, compare, masked, masked_target

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
SECRETS = (
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl",
    "Bearer abc.def",
    "4111 1111 1111 1111",
    "ada@example.com",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dcXXXXXXXX",
)


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    found = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status=status, headers=found, body=json.dumps(value).encode())


@given(VALUES)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert compare(reply(value), reply(json.loads(json.dumps(value)))) == ()


@given(VALUES, VALUES)
def test_every_difference_is_found(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (compare(reply(one), reply(other)) == ()) == same


@given(VALUES, VALUES)
def test_what_is_ignored_never_differs(one: Any, other: Any) -> None:
    assert compare(reply({"a": {"b": one}}), reply({"a": {"b": other}}), ("/a/*",)) == ()


def test_the_place_is_told() -> None:
    found = compare(reply({"code": "X", "left": 3}, etag="1"), reply({"code": "X", "left": 4}, 201, location="/x"))
    assert [(d.place, d.legacy, d.new) for d in found] == [
        ("status", "200", "201"),
        ("location", "", "/x"),
        ("/left", "3", "4"),
    ]
    assert compare(reply({}, content_type="application/json; charset=utf-8"), reply({})) == ()
    assert [d.place for d in compare(reply([1]), reply([1, 2]))] == ["body"]


@given(st.sampled_from(SECRETS), st.text(max_size=10))
def test_no_secret_is_told(secret: str, around: str) -> None:
    found = compare(reply({"note": f"{around} {secret} {around}"}), reply({"note": None}))
    assert secret not in str(found)
    assert "sesame" not in str(compare(reply({"password": "sesame"}), reply({"password": "other"})))


def test_requests_are_shown_without_the_values_of_their_query() -> None:
    assert masked_target("/coupons/X?token=abc&q=1") == "/coupons/X?token=***&q=***"
    assert len(masked("x" * 20 + " " + "y " * 100)) == 60
