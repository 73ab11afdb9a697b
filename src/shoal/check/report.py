"""What a check came to."""

import msgspec

from shoal.check.finding import RANK, Reported
from shoal.check.settings import FailOn
from shoal.model.finding import Severity


class Unasked(msgspec.Struct, frozen=True):
    """A rule that was not asked, since something that it needs is not known."""

    code: str
    name: str
    needs: tuple[str, ...]
    """What of `shoal.check.rule.NEEDS` is not known."""


OUTDATED = "SH006"
"""Code of what the baseline lets pass and is no longer found."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Findings, and what was looked at."""

    system: str
    services: int
    files: int
    asked: tuple[str, ...]
    """Codes of the rules that were asked."""
    unasked: tuple[Unasked, ...] = ()
    findings: tuple[Reported, ...] = ()
    """In the order of their places."""
    ignored: tuple[Reported, ...] = ()
    """Those that a comment lets pass, with its reason."""
    baselined: tuple[Reported, ...] = ()
    """Those that the baseline lets pass."""

    def count(self, severity: Severity) -> int:
        """Count the findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def fixable(self) -> int:
        """How many bring edits, or leave the baseline."""
        return sum(bool(finding.edits) or finding.code == OUTDATED for finding in self.findings)

    def fails(self, fail_on: FailOn) -> bool:
        """Tell whether there is a finding of this severity or a worse one."""
        return fail_on != "never" and any(RANK[finding.severity] <= RANK[fail_on] for finding in self.findings)
