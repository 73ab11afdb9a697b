"""Asks every rule, and makes of what they yield a report: counted, let pass with a reason, in order."""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from shoal.check import settings as settings_
from shoal.check.baseline import Baseline, divided, gone
from shoal.check.finding import Finding, Note, Place, Reported
from shoal.check.ignoring import ignored
from shoal.check.report import Report, Unasked
from shoal.check.rule import NEEDS, AnyRule, nothing
from shoal.check.rules.baseline_outdated import RULE as BASELINE_OUTDATED
from shoal.check.rules.rule_failed import RULE as RULE_FAILED
from shoal.check.settings import Settings
from shoal.check.subject import Subject
from shoal.check.told import TOLD
from shoal.model.finding import Finding as Told

Progress = Callable[[str], None]


def run(
    subject: Subject,
    rules: Sequence[AnyRule],
    settings: Settings,
    *,
    only: tuple[str, ...] = (),
    told: Sequence[Told] = (),
    baseline: tuple[str, Baseline] | None = None,
    progress: Progress = lambda _: None,
) -> Report:
    """Ask rules about a system.

    Args:
        subject: What is known of it.
        rules: All that there are; the settings say which of them are asked.
        settings: What the author says.
        only: Codes of those that are asked now, or their beginnings; all when empty.
        told: What others have found, such as a plan; shown by its own codes.
        baseline: Path and content of the file of findings that are let pass for now.
        progress: Hears which rule is asked next.

    Raises:
        DeclarationError: An option of a rule is not of its type.
    """
    chosen = [rule for rule in rules if _meant(rule, only) and settings.asks(rule.code, enabled=rule.enabled)]
    asked = [rule for rule in chosen if all(subject.has(need) for need in rule.needs)]
    found = [f for rule in asked for f in _asked(rule, subject, settings, progress)] + [_told(t, subject) for t in told]
    texts, codes, every = subject.texts, looked_at(asked, only), looked_at(rules)
    left, passed = ignored(_once(found), texts, known=every, asked=codes)
    new, old = _without(left, baseline, subject.shown, codes)
    return Report(
        system=subject.system.name,
        services=len(subject.system.services),
        files=len(texts),
        asked=tuple(sorted(rule.code for rule in asked)),
        unasked=tuple(_unasked(rule, subject) for rule in chosen if rule not in asked),
        findings=_settled(new, settings, only),
        ignored=_settled(passed, settings, only),
        baselined=_settled(old, settings, only),
    )


def _meant(rule: AnyRule, only: tuple[str, ...]) -> bool:
    return not only or rule.code.startswith(only)


def looked_at(rules: Sequence[AnyRule], only: tuple[str, ...] = ()) -> set[str]:
    """List the codes of rules, and those of a plan, as far as only these are asked."""
    return {*(rule.code for rule in rules), *(code for code in TOLD if not only or code.startswith(only))}


def _once(findings: Sequence[Reported]) -> list[Reported]:
    """Sort findings by place and code; what is found twice is one."""
    unique = {(f.where, f.code, f.message): f for f in findings}
    return [unique[key] for key in sorted(unique)]


def _settled(findings: Sequence[Reported], settings: Settings, only: tuple[str, ...]) -> tuple[Reported, ...]:
    """Leave out what is not asked for, and count the rest for what the author says; that a rule failed is never out."""
    words = (*only, RULE_FAILED.code) if only else ("",)
    wanted = [f for f in _once(findings) if f.code.startswith(words) and settings.asks(f.code, enabled=True)]
    severity = settings.severity
    return tuple(msgspec.structs.replace(f, severity=severity.get(f.code, f.severity)) for f in wanted)


def _without(
    findings: list[Reported], baseline: tuple[str, Baseline] | None, texts: Mapping[str, str], asked: set[str]
) -> tuple[list[Reported], list[Reported]]:
    """Divide findings into new ones, with what is wrong with the baseline, and those that it lets pass."""
    if baseline is None:
        return findings, []
    path, before = baseline
    new, known, after = divided(findings, before, texts)
    outdated = [(place, entry.code) for place, entry in gone(before, after, path) if entry.code in asked]
    return new + [_outdated(place, code) for place, code in outdated], known


def _asked(rule: AnyRule, subject: Subject, settings: Settings, progress: Progress) -> Iterator[Reported]:
    """Ask one rule; where it fails, say so, and keep what it had found by then."""
    if rule.find is not nothing:
        progress(f"asking {rule.code} {rule.name}")
    options = settings_.options(settings, rule.code, rule.options)
    try:
        for finding in rule.find(subject, options):
            yield _reported(rule, finding)
    except Exception as error:  # noqa: BLE001 - a rule may be anybody's, and the others still have to be asked
        last = traceback.extract_tb(error.__traceback__)[-1]
        message = f"rule {rule.code} {rule.name} has failed: {type(error).__name__}: {error}"
        yield Reported(
            code=RULE_FAILED.code,
            name=RULE_FAILED.name,
            severity=RULE_FAILED.severity,
            where=subject.where,
            message=f"{message} ({last.name}, line {last.lineno})",
            help=f'tell its author; until then [tool.shoal.check] disable = ["{rule.code}"]',
        )


def _reported(rule: AnyRule, finding: Finding) -> Reported:
    if not isinstance(finding, Finding):
        raise TypeError(f"it yields {finding!r}, which is no finding")
    if not isinstance(finding.where, Place):
        raise TypeError(f"it says where by {finding.where!r}: subject.place(...) makes a place of it")
    return Reported(
        code=rule.code,
        name=rule.name,
        severity=finding.severity or rule.severity,
        where=finding.where,
        message=_line(finding.message),
        help=finding.help,
        impact=finding.impact,
        notes=tuple(Note(note.where, _line(note.text)) for note in finding.notes),
        edits=finding.edits if rule.fixable else (),
        hidden=finding.hidden,
    )


def _line(text: str) -> str:
    """Keep a sentence on one line, whatever the names in it hold: readers of logs take each line for itself."""
    return " ".join(text.splitlines())


def _told(finding: Told, subject: Subject) -> Reported:
    return Reported(
        code=finding.code,
        name="",
        severity=finding.severity,
        where=subject.place(finding.where),
        message=finding.message,
        help=finding.help,
    )


def _outdated(place: Place, code: str) -> Reported:
    return Reported(
        code=BASELINE_OUTDATED.code,
        name=BASELINE_OUTDATED.name,
        severity=BASELINE_OUTDATED.severity,
        where=place,
        message=f"the baseline lets a finding of {code} pass that is no longer there",
        help="shrink it: shoal check --shrink",
    )


def _unasked(rule: AnyRule, subject: Subject) -> Unasked:
    return Unasked(rule.code, rule.name, tuple(need for need in NEEDS if need in rule.needs and not subject.has(need)))
