from datetime import UTC, datetime

import msgspec
import pytest

from shop.users.accounts import administrator, profile
from shop.users.messages import SignUp
from shop.users.records import canonical

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", "Ada@Example.COM"),
        ("straße@example.com", "STRASSE@example.com"),
        ("e\u0301mile@example.com", "\u00e9mile@example.com"),
    ],
)
def test_spellings_of_one_address_are_one_account(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


def test_a_profile_does_not_show_the_hash() -> None:
    admin = administrator("admin@shop.example", "$argon2id$secret", NOW)
    assert b"argon2" not in msgspec.json.encode(profile(admin))


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"email": "a@b"},
        {"email": "a b@c.d"},
        {"email": "a@b.c\n"},
        {"email": "a@b.c\nBcc: all@b.c"},
        {"name": ""},
        {"name": " "},
        {"name": "Ada\nBcc: all@b.c"},
        {"name": "Ada\n"},
        {"password": "short"},
        {"password": "x" * 129},
    ],
)
def test_a_sign_up_that_cannot_be_meant_is_refused(wrong: dict[str, str]) -> None:
    right = {"email": "ada@example.com", "name": "Ada Lovelace", "password": "correct horse"}
    msgspec.convert(right, SignUp)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(right | wrong, SignUp)
