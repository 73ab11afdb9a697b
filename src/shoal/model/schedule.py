"""What is done by the clock."""

from typing import Literal

import msgspec

from shoal.errors import DeclarationError
from shoal.model import cron

Missed = Literal["skip", "once", "all"]
"""What becomes of due times at which nothing ran: nothing; one run for all of them; one run for each, within reason."""

MISSED: tuple[Missed, ...] = ("skip", "once", "all")

GIVEN_UP = 3
"""Exit code of a process that ran a schedule alone and gave a run up: to start it once more would change nothing."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One handler that runs by the clock, once over all replicas."""

    name: str
    every: float = 0.0
    """Seconds of its period; 0 when it has an expression."""
    cron: str = ""
    zone: str = "UTC"
    """Name of the zone whose clock the expression means (IANA time zone database)."""
    missed: Missed = "once"
    timeout: float = 25.0
    """Seconds until an attempt is cancelled."""
    attempts: int = 5
    """Attempts of one run before it is given up; the next one comes all the same."""
    backoff: float = 1.0
    """Seconds before the second attempt; doubles each time, with jitter."""
    apart: bool = False
    """Whether a cluster runs it in a process of its own, rather than in a replica."""
    summary: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a rule that is none, or two."""
        if bool(self.every) == bool(self.cron) or self.every < 0:
            raise DeclarationError(
                f"schedule {self.name} has no rule, or two",
                hint='give it a period such as minutes=5, or an expression such as "0 3 * * *"',
                where=self.source,
            )
        if self.cron:
            cron.parse(self.cron, where=self.source)

    @property
    def rule(self) -> str:
        """Spell the rule for people."""
        return f"{self.cron} {self.zone}" if self.cron else f"every {spell(self.every)}"


_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def spell(seconds: float) -> str:
    """Write a span of time in the largest units that express it."""
    if seconds != int(seconds):
        return f"{seconds:g} s"
    parts, rest = [], int(seconds)
    for unit, size in _UNITS:
        if rest >= size:
            parts.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(parts) or "0 s"
