"""Notices that begin with a finding, change with it and end when it is found no more. Pure."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Literal

import msgspec

Rule = Literal["budget", "error", "traffic"]

Severity = Literal["page", "ticket", "note"]
"""Whether somebody should be woken, look at it within days, or may like to know."""

PRECEDENCE: Mapping[str, int] = {"page": 0, "ticket": 1, "note": 2}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule sees at a moment."""

    rule: Rule
    key: str
    """Tells what it is about, among what the rule finds."""
    service: str
    severity: Severity
    text: str
    """What is so, with its numbers."""
    traces: dict[str, str] = {}
    """What the list of traces is to be asked for."""
    since: float | None = None
    """Since when it is so, in milliseconds since 1970; from now on when nobody can tell."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody should hear of; times are milliseconds since 1970."""

    id: str
    rule: str
    key: str
    service: str
    severity: str
    since: float
    until: float | None
    """None while it goes on."""
    text: str
    traces: dict[str, str] = {}


def settle(going: Mapping[tuple[str, str], Notice], findings: Iterable[Finding], now: float) -> list[Notice]:
    """Compare what goes on with what is found now; return the notices that begin, change or end.

    Args:
        going: The notices that have not ended, by rule and key.
        findings: What all rules see at the moment.
        now: In milliseconds since 1970.
    """
    changed, seen = [], set()
    for finding in findings:
        place = finding.rule, finding.key
        seen.add(place)
        before = going.get(place)
        after = _begun(finding, now) if before is None else _continued(before, finding)
        if after != before:
            changed.append(after)
    ended = [notice for place, notice in going.items() if place not in seen]
    return changed + [msgspec.structs.replace(notice, until=now) for notice in ended]


def _begun(finding: Finding, now: float) -> Notice:
    since = now if finding.since is None else finding.since
    words = f"{finding.rule}\0{finding.key}\0{since!r}"
    return Notice(
        id=blake2b(words.encode(), digest_size=6).hexdigest(),
        rule=finding.rule,
        key=finding.key,
        service=finding.service,
        severity=finding.severity,
        since=since,
        until=None,
        text=finding.text,
        traces=finding.traces,
    )


def _continued(notice: Notice, finding: Finding) -> Notice:
    """Keep the worst that it was."""
    worst = min(notice.severity, finding.severity, key=PRECEDENCE.__getitem__)
    return msgspec.structs.replace(notice, severity=worst, text=finding.text, traces=finding.traces)
