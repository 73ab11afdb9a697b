"""Run every audit of a system, one after the other, and report."""

import time
from collections.abc import Awaitable, Callable

from shoal.audit import rest
from shoal.audit.evidence import Reading
from shoal.audit.report import Outcome, Report, outcome
from shoal.audit.subject import Subject
from shoal.audit.survey import survey
from shoal.audit.table import PROMISES
from shoal.errors import TimedOut, Unavailable
from shoal.service.audit import Verdict


async def check(subject: Subject, *, wait: float = 0.0) -> Report:
    """Audit a system, after waiting up to `wait` seconds for it to come to rest.

    Raises:
        EngineError: A store or the broker cannot be read.
    """
    moving = await rest.wait(subject, wait) if wait else ""
    began = time.monotonic()
    read = await survey(subject)
    outcomes: list[Outcome] = []
    for promise in PROMISES:
        subject.progress(f"{promise.code} {promise.title}")
        outcomes.append(outcome(promise.code, promise.title, await promise.check(subject, read)))
    evidence = Reading(subject)
    for audit in subject.declared.audits:
        subject.progress(f"{audit.code} {audit.title}")
        outcomes.append(outcome(audit.code, audit.title, await _own(audit.check, evidence)))
    return Report(
        system=subject.plan.system.name,
        outcomes=tuple(sorted(outcomes, key=lambda each: _order(each.code))),
        seconds=round(time.monotonic() - began, 2),
        in_flight=moving,
    )


async def _own(check: Callable[[Reading], Awaitable[Verdict]], evidence: Reading) -> Verdict:
    try:
        return await check(evidence)
    except (TimedOut, Unavailable) as error:
        return Verdict(unchecked=error.message)


def _order(code: str) -> tuple[str, int]:
    """Sort I2 before I10."""
    letters = code.rstrip("0123456789")
    return letters, int(code[len(letters) :] or 0)
