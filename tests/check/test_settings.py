"""What ``[tool.shoal.check]`` may say, and how a mistake in it is refused."""

from typing import Any

import msgspec
import pytest

from shoal.check import settings
from shoal.check.rules.chain_too_long import Options
from shoal.check.table import RULES
from shoal.errors import DeclarationError

CODES = [rule.code for rule in RULES]


def asks(code: str, *, enabled: bool = True, **table: Any) -> bool:
    return settings.read(table, CODES).asks(code, enabled=enabled)


def test_all_rules_are_asked_but_those_that_wait_to_be() -> None:
    assert asks("SH101")
    assert not asks("SH101", enabled=False)


def test_the_longer_word_holds() -> None:
    assert not asks("SH101", disable=["SH1"])
    assert asks("SH101", disable=["SH1"], enable=["SH101"])
    assert not asks("SH101", disable=["SH101"], enable=["SH1"])
    assert asks("SH101", enabled=False, enable=["SH1"])
    assert asks("SH301", disable=["SH1"])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"disabel": ["SH101"]}, "disabel"),
        ({"disable": "SH101"}, "disable"),
        ({"disable": ["SH998"]}, "SH998"),
        ({"enable": [""]}, "''"),
        ({"severity": {"SH101": "bad"}}, "bad"),
        ({"severity": {"SH1": "info"}}, "SH1"),
        ({"options": {"SH102x": {}}}, "SH102x"),
        ({"options": {"PLAN-SAGA-01": {}}}, "PLAN-SAGA-01"),
        ({"fail-on": "sometimes"}, "sometimes"),
        ({"baseline": 1}, "baseline"),
    ],
)
def test_a_mistake_is_refused_with_what_is_possible(table: dict[str, Any], said: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        settings.read(table, CODES)
    assert said in refused.value.message
    assert "pyproject.toml" in refused.value.where
    assert refused.value.hint


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ({"fail-on": "errors"}, "it is one of error, warning, info, never"),
        ({"severity": {"SH101": "warn"}}, "each code has one of error, warning, info: "),
        ({"disable": "SH101"}, "it is a list of codes, or of their beginnings: disable = "),
        ({"disable": ["sh101"]}, "did you mean SH101?"),
        ({"options": {"SH101": 4}}, "each code has a table of its own: [tool.shoal.check.options.SH101]"),
        ({"targets": "yes"}, "it is true or false"),
    ],
)
def test_a_value_is_refused_with_those_that_are(table: dict[str, Any], hint: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        settings.read(table, CODES)
    assert refused.value.hint.startswith(hint)


def test_what_a_plan_says_may_count_otherwise() -> None:
    assert settings.read({"severity": {"PLAN-SAGA-01": "error"}}, CODES).severity == {"PLAN-SAGA-01": "error"}


def test_options_are_typed() -> None:
    found = settings.read({"options": {"SH101": {"most": 5}}}, CODES)
    assert settings.options(found, "SH101", Options) == Options(most=5)
    assert settings.options(found, "SH301", Options) == Options()


@pytest.mark.parametrize("told", [{"most": "five"}, {"most": 5.5}, {"least": 1}, {"most": True}])
def test_an_option_that_is_none_is_refused_with_those_that_are(told: dict[str, Any]) -> None:
    found = settings.read({"options": {"SH101": told}}, CODES)
    with pytest.raises(DeclarationError) as refused:
        settings.options(found, "SH101", Options)
    assert "most (now 3)" in refused.value.hint


def test_every_rule_takes_a_table_without_anything() -> None:
    for rule in RULES:
        assert isinstance(settings.options(settings.Settings(), rule.code, rule.options), msgspec.Struct)
