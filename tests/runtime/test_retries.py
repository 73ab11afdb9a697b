"""Repeats are few: whatever fails, a callee gets at most 110 % of the calls; what spent its time is not repeated."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.errors import CallFailed, CallTimedOut
from shoal.model.service import Policy
from shoal.runtime.retries import RetryBudget, repeated


class Callee:
    """Counts the attempts that reach it, and fails as told."""

    def __init__(self, failures: list[bool]) -> None:
        self.failures, self.attempts = failures, 0

    async def __call__(self) -> str:
        self.attempts += 1
        if self.failures[(self.attempts - 1) % len(self.failures)]:
            raise CallFailed("products.prices", status=503, detail="")
        return "prices"


async def calls(count: int, once: Callable[[], Awaitable[str]], attempts: int, budget: RetryBudget) -> int:
    """Make so many calls; return how many succeeded."""
    good = 0
    for _ in range(count):
        try:
            good += await repeated(once, Policy(attempts=attempts, backoff=0), budget) == "prices"
        except CallFailed:
            continue
    return good


@given(failures=st.lists(st.booleans(), min_size=1), attempts=st.integers(1, 10), count=st.integers(1, 300))
async def test_attempts_are_at_most_110_percent_of_the_calls_and_one(
    failures: list[bool], attempts: int, count: int
) -> None:
    callee = Callee(failures)
    await calls(count, callee, attempts, RetryBudget())
    assert count <= callee.attempts <= 1.1 * count + 1 + 1e-6


async def test_a_failure_now_and_then_is_not_noticed() -> None:
    budget = RetryBudget()
    callee = Callee([False] * 19 + [True])
    assert await calls(19, callee, 2, budget) == 19
    assert await calls(181, callee, 2, budget) == 181


async def test_pauses_double_and_no_two_callers_keep_step(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", pause)
    for _ in range(20):
        budget = RetryBudget()
        await calls(30, Callee([False]), 1, budget)
        with pytest.raises(CallFailed):
            await repeated(Callee([True]), Policy(attempts=4, backoff=0.1), budget)
    assert len(pauses) == 60
    for pause_number, base in enumerate((0.1, 0.2, 0.4)):
        of_all = pauses[pause_number::3]
        assert all(base / 2 <= one <= base for one in of_all)
        assert max(of_all) - min(of_all) > base / 10, "those who failed together would come back together"


@pytest.mark.parametrize("error", [CallTimedOut("a.b", detail=""), CallFailed("a.b", status=500, detail="")])
async def test_what_may_have_been_done_or_spent_its_time_is_not_repeated(error: CallFailed) -> None:
    budget, attempts = RetryBudget(), 0
    await calls(50, Callee([False]), 2, budget)

    async def fail() -> str:
        nonlocal attempts
        attempts += 1
        raise error

    with pytest.raises(CallFailed):
        await repeated(fail, Policy(attempts=5, backoff=0), budget)
    assert attempts == 1
