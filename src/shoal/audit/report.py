"""What an audit reports: one outcome for each promise."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from shoal.service.audit import Verdict

NAMED = 20
"""Violations of one promise that are named; the others are only counted."""

State = Literal["held", "violated", "unchecked"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one promise fared."""

    code: str
    title: str
    state: State
    counts: Mapping[str, int] = {}
    violated: int = 0
    """How many violations there are."""
    violations: tuple[str, ...] = ()
    """The first `NAMED` of them."""
    note: str = ""
    """Why it could not be checked."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How all promises of a system fared."""

    system: str
    outcomes: tuple[Outcome, ...]
    seconds: float = 0.0
    """How long it took, without the wait before it."""
    in_flight: str = ""
    """What was still under way when the wait for it ended; empty when everything had come to rest."""

    @property
    def held(self) -> bool:
        """Whether nothing is violated."""
        return not any(outcome.state == "violated" for outcome in self.outcomes)

    def outcome(self, code: str) -> tuple[Outcome, ...]:
        """List the outcomes of one promise; several audits may look after it."""
        return tuple(outcome for outcome in self.outcomes if outcome.code == code)

    def complaints(self) -> tuple[str, ...]:
        """List every named violation, with the promise that it breaks."""
        return tuple(f"{o.code} {text}" for o in self.outcomes for text in o.violations)


def outcome(code: str, title: str, verdict: Verdict) -> Outcome:
    """Judge a verdict."""
    state: State = "violated" if verdict.violations else "unchecked" if verdict.unchecked else "held"
    return Outcome(
        code=code,
        title=title,
        state=state,
        counts=verdict.counts,
        violated=len(verdict.violations),
        violations=verdict.violations[:NAMED],
        note=verdict.unchecked,
    )
