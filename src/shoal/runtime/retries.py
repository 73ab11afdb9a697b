"""Repeat a call where repeating is safe, within a budget, so that an outage is not fed by its own callers."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shoal.errors import CallFailed, CallTimedOut
from shoal.model.service import Policy

T = TypeVar("T")

SHARE = 0.1
"""Repeats per call that the budget earns: 110 % of the calls at most reach a failing callee (SRE book, chapter 21)."""

SAVED = 10.0
"""Most repeats that a quiet time saves up."""

_TRANSIENT = (0, 502, 503)
"""No answer, or one that says that the callee was not reached or did not begin."""


class RetryBudget:
    """Counts what one operation's callers may repeat."""

    def __init__(self) -> None:
        self.saved = 1.0  # not all of it: a process that begins in an outage must not begin by repeating
        """Repeats that may be made."""
        self.spent = 0
        """Repeats that were made."""

    def earn(self) -> None:
        """Note a call."""
        self.saved = min(SAVED, self.saved + SHARE)

    def spend(self) -> bool:
        """Take one repeat, if there is one."""
        if self.saved < 1:
            return False
        self.saved -= 1
        self.spent += 1
        return True


async def repeated(once: Callable[[], Awaitable[T]], policy: Policy, budget: RetryBudget) -> T:
    """Call `once` up to the policy's attempts; timeouts are never repeated, their time is spent."""
    budget.earn()
    for attempt in range(1, policy.attempts):
        try:
            return await once()
        except CallFailed as error:
            if isinstance(error, CallTimedOut) or error.status not in _TRANSIENT or not budget.spend():
                raise
        await asyncio.sleep(policy.backoff * 2 ** (attempt - 1) * (0.5 + random.random() / 2))  # noqa: S311 - jitter
    return await once()
