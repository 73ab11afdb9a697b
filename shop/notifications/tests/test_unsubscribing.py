"""Links by which people leave: what is signed is honoured, and nothing else is."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal import Secret, ShoalError
from shop.notifications.unsubscribing import LAPTOP_KEY, Leaving, Links
from shop.notifications.waiting import seconds

KEY, BEFORE = Secret("a key"), Secret("the one of before")
BASE, SITE = "https://api.shop.example", "https://shop.example"
LINKS = Links(BASE, SITE, (KEY, BEFORE))


@given(st.text(max_size=40))
def test_a_link_says_who_leaves_what(user_id: str) -> None:
    token = LINKS.token(user_id, "feedback")
    assert LINKS.read(token) == Leaving(user_id=user_id, kind="feedback")
    assert LINKS.link(user_id, "feedback") == f"{BASE}/notifications/unsubscribe?token={token}"


@given(st.text(max_size=200))
def test_what_nobody_signed_says_nothing(token: str) -> None:
    assert LINKS.read(token) is None


def test_a_token_cannot_be_changed() -> None:
    token = LINKS.token("usr_1", "feedback")
    said, _, signature = token.partition(".")
    other = LINKS.token("usr_2", "feedback").partition(".")[0]
    for forged in (f"{other}.{signature}", f"{said}.", said, token[:-1], f"{token}=", f"{said}.é"):
        assert LINKS.read(forged) is None


def test_a_key_of_before_still_reads_and_signs_no_more() -> None:
    old = Links(BASE, SITE, (BEFORE,))
    assert LINKS.read(old.token("usr_1", "feedback")) is not None
    assert old.read(LINKS.token("usr_1", "feedback")) is None


def test_what_must_be_sent_has_no_link() -> None:
    assert LINKS.link("usr_1", "confirmed") == LINKS.page("usr_1", "confirmed") == ""


@pytest.mark.parametrize(
    ("base", "keys"),
    [
        ("http://api.shop.example", (KEY,)),
        (BASE, (LAPTOP_KEY,)),
        (BASE, (KEY, LAPTOP_KEY)),
        (BASE, (Secret(""),)),
        ("http://127.0.0.1:8000", (Secret(""),)),
    ],
)
def test_links_that_others_could_read_or_forge_are_not_made(base: str, keys: tuple[Secret, ...]) -> None:
    with pytest.raises(ShoalError, match=r"NOTIFICATIONS__"):
        Links(base, SITE, keys)


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("17", 17), (" 0 ", 0), ("Thu, 01 Jan 2026 00:01:00 GMT", 60), ("Thu, 01 Jan 2025 00:01:00 GMT", 0),
        ("", 0), ("-1", 0), ("soon", 0), ("1.5", 0), ("9" * 40, 999_999_999), ("²", 0),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_http_says(text: str, after: float) -> None:
    assert seconds(text, NOW) == after
