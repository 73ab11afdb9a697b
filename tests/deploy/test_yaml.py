"""What is printed reads back as what was meant, by readers that take many words for something else."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.yaml import Json, Noted, document, plain, scalar

MISTAKEN = [
    *("yes", "No", "on", "OFF", "y", "n", "true", "null", "~", "NaN", ".inf", "", " a", "a ", "a\tb"),
    *("1", "01", "1e3", "1_000", "0x1f", "12:30", "1.5", "2026-01-01", "=", "<<", "?", "|", "-", "--", "---", "..."),
    *("- a", "a: b", "a #b", "*a", "&a", "!a", "@a", "%a", "{a}", "[a]", "'a'", '"', "a\\b", "a'b\"c"),
    *("\x00", "\u2028", "\ufeff", "\x85"),
]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(MISTAKEN)
SCALARS = TEXTS | st.integers(-(10**12), 10**12) | st.booleans() | st.none()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def noted(value: object, why: str) -> object:
    """Put comments everywhere."""
    if isinstance(value, dict):
        return {key: Noted(noted(one, why), why) for key, one in value.items()}
    if isinstance(value, list):
        return [Noted(noted(one, why), why) for one in value]
    return value


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_everything_reads_back(value: Json) -> None:
    assert yaml.safe_load(document(value)) == value


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5), st.text("ab #:-\n", min_size=1, max_size=300))
def test_comments_change_nothing(value: Json, why: str) -> None:
    commented = noted(value, why)
    assert isinstance(commented, dict)
    text = document(commented, head=[why])
    assert yaml.safe_load(text) == value == plain(commented)


@pytest.mark.parametrize("word", MISTAKEN)
def test_what_could_be_mistaken_is_quoted(word: str) -> None:
    assert scalar(word)[0] in "\"'"


@pytest.mark.parametrize(
    "word", ["orders", "100m", "64Mi", "5s", "50%", "/health", "apps/v1", "orders.shop:8080", "two words"]
)
def test_what_cannot_be_mistaken_is_plain(word: str) -> None:
    assert scalar(word) == word


def test_a_number_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="no number"):
        scalar(float("nan"))


def test_long_comments_are_broken_into_lines_and_stand_above_their_key() -> None:
    text = document({"a": [Noted({"b": 1}, "why " * 60)]})
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0] == "a:"
    assert lines[1].startswith("  # why")
    assert lines[-1] == "  - b: 1"
