"""What is taken for a secret, and how lines are shown that hold one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.check.confidential import covered, told


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("DB_PASSWORD", "x1", "a secret"),
        ("Spring.Datasource.password", "x1", "a secret"),
        ("clientSecret", "x1", "a secret"),
        ("AWS_SECRET_ACCESS_KEY", "x1", "a secret"),
        ("DATABASE_URL", "mysql://me:word@db/x", "an address with a password"),
        ("ConnectionStrings__Db", "Server=db;Pwd=word", "an address with a password"),
        ("ANY", "AKIAABCDEFGHIJKLMNOP", "a key of Amazon"),
        ("DATABASE_URL", "mysql://me:${WORD}@db/x", ""),
        ("DATABASE_URL", "mysql://db/x", ""),
        ("ConnectionStrings__Db", "Server=db;Password=${WORD}", ""),
        ("PASSWORD_FILE", "word", ""),
        ("TOKEN_ENDPOINT", "word", ""),
        ("PUBLIC_KEY", "word", ""),
        ("AWS_ACCESS_KEY_ID", "word", ""),
        ("PASSWORD", "", ""),
        ("PASSWORD", "/run/secrets/word", ""),
        ("PASSWORD", "{{ .Values.word }}", ""),
        ("PASSWORD", "<your password>", ""),
        ("API_KEY", "change-me", ""),
        ("USE_PASSWORD", "true", ""),
    ],
)
def test_what_is_taken_for_a_secret(name: str, value: str, what: str) -> None:
    assert told(name, value) == what


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("URL: mysql://me:word@db/x", "URL: mysql://me:****@db/x"),
        ("URL: redis://:word@db", "URL: redis://:****@db"),
        ("a: 'Server=db;Password=word;User=me'", "a: 'Server=db;Password=****;User=me'"),
        ("URL: http://db:80/me@home", "URL: http://db:80/me@home"),
        ("password: a field of a form", "password: a field of a form"),
    ],
)
def test_passwords_of_addresses_are_covered(line: str, shown: str) -> None:
    assert covered(line) == shown


@given(st.text())
def test_a_covered_line_is_as_long_as_it_was(line: str) -> None:
    assert len(covered(line)) == len(line)
