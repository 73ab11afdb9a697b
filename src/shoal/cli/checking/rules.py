"""Rules that are asked: ours, and those that installed packages bring."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from shoal.check.rule import AnyRule, Rule
from shoal.check.rules.rule_failed import RULE as RULE_FAILED
from shoal.check.table import RULES
from shoal.model.finding import Finding as Told

GROUP = "shoal.rules"
"""The group of entry points by which packages bring rules: ``name = "package.module:RULE"``."""


def every() -> tuple[tuple[AnyRule, ...], tuple[Told, ...]]:
    """List our rules and those of installed packages, and say of which of those nothing can be asked."""
    found: list[AnyRule] = list(RULES)
    failed: list[Told] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        rule = _loaded(point, {word for rule in found for word in (rule.code, rule.name)})
        if isinstance(rule, Rule):
            found.append(rule)
        else:
            failed.append(rule)
    return tuple(found), tuple(failed)


def _loaded(point: EntryPoint, taken: set[str]) -> AnyRule | Told:
    try:
        rule: Any = point.load()
    except Exception as error:  # noqa: BLE001 - a package may fail in any way, and our own rules are to be asked
        return _failed(point, f"cannot be imported: {type(error).__name__}: {error}")
    if not isinstance(rule, Rule):
        return _failed(point, "is none: name a shoal.check.rule.Rule")
    if rule.code in taken or rule.code.startswith("SH"):
        return _failed(point, f"is called {rule.code}, which is not its to take; use letters of your own")
    if rule.name in taken:
        return _failed(point, f"is called {rule.name}, as another one is")
    return rule


def _failed(point: EntryPoint, what: str) -> Told:
    return Told(
        code=RULE_FAILED.code,
        severity="error",
        message=f"the rule {point.value} of the entry point {GROUP} {point.name} {what}",
        help="correct or remove the package that brings it",
    )
