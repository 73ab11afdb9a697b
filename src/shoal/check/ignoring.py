"""Which findings a comment lets pass, and what is wrong with the comments themselves."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from shoal.check.finding import Reported
from shoal.check.rule import AnyRule
from shoal.check.rules.ignored_unknown import RULE as UNKNOWN
from shoal.check.rules.ignored_without_reason import RULE as WITHOUT_REASON
from shoal.check.rules.ignored_without_use import RULE as WITHOUT_USE
from shoal.check.settings import meant
from shoal.check.suppression import Ignore, comments
from shoal.check.told import TOLD


def ignored(
    findings: Sequence[Reported], texts: Mapping[str, str], *, known: Collection[str], asked: Collection[str]
) -> tuple[list[Reported], list[Reported]]:
    """Divide findings into those that are left, with what is wrong with comments, and those that are let pass.

    Args:
        findings: All of them.
        texts: Path → text, of the files that are looked at.
        known: Every code that there is.
        asked: The codes of which something could have been found.
    """
    left: list[Reported] = []
    passed: list[Reported] = []
    used: set[tuple[Ignore, str]] = set()
    found = comments(texts)
    for finding in findings:
        by = [ignore for ignore in found if ignore.speaks_of(finding)]
        used |= {(ignore, finding.code) for ignore in by}
        reason = next((ignore.reason for ignore in by if ignore.reason), "")
        if reason:
            passed.append(msgspec.structs.replace(finding, reason=reason))
        else:
            left.append(finding)
    for ignore in found:
        left += _wrong(ignore, {code for other, code in used if other is ignore}, known, asked)
    return left, passed


def _wrong(ignore: Ignore, used: set[str], known: Collection[str], asked: Collection[str]) -> list[Reported]:
    found = []
    if not ignore.codes or not ignore.reason:
        what = "does not say why" if ignore.codes else "does not say what"
        found.append(_about(WITHOUT_REASON, ignore, f"this comment {what}", "# shoal: ignore[SH101] because ..."))
    for code in (code for code in ignore.codes if code not in known and code not in TOLD):
        message = f"this comment lets {code} pass, which is the code of no rule"
        found.append(_about(UNKNOWN, ignore, message, meant(code, [*known, *TOLD])))
    idle = {code for code in ignore.codes if code in asked and code not in used}
    if idle:
        message = f"nothing is found here of {', '.join(sorted(idle))}, which this comment lets pass"
        idle_ = _about(WITHOUT_USE, ignore, message, "remove it: shoal check --fix")
        found.append(msgspec.structs.replace(idle_, edits=(ignore.without(idle),)))
    return found


def _about(rule: AnyRule, ignore: Ignore, message: str, help_: str) -> Reported:
    return Reported(
        code=rule.code, name=rule.name, severity=rule.severity, where=ignore.where, message=message, help=help_
    )
