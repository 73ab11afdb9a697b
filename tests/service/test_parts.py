"""Answers made of others' answers: at once, within shares of the time, without what is missing."""

import asyncio
from typing import Any

import pytest

from shoal import CallFailed, CallRefused, CallRejected, CallTimedOut, Partial, Parts
from shoal.service.parts import Missing


class Left:
    """A deadline that does not move."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds

    def remaining(self) -> float:
        return self._seconds


async def answer(value: int) -> int:
    return value


async def fail(error: Exception) -> int:
    raise error


async def wait_for(event: asyncio.Event, seen: list[str]) -> int:
    try:
        await event.wait()
    except asyncio.CancelledError:
        seen.append("cancelled")
        raise
    return 1


async def test_all_are_asked_at_once() -> None:
    first, second = asyncio.Event(), asyncio.Event()

    async def meet(own: asyncio.Event, other: asyncio.Event) -> str:
        own.set()
        await other.wait()
        return "met"

    async with Parts(Left()) as parts:
        one, two = parts.ask("one", meet(first, second)), parts.ask("two", meet(second, first))
    assert (one.value, two.value, parts.missing) == ("met", "met", ())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CallTimedOut("x"), "timed-out"),
        (TimeoutError(), "timed-out"),
        (CallRefused("x"), "refused"),
        (CallRejected("x"), "rejected"),
        (CallFailed("x"), "failed"),
    ],
)
async def test_an_answer_says_what_it_does_without_and_why(error: Exception, reason: Any) -> None:
    async with Parts(Left()) as parts:
        there, gone = parts.ask("there", answer(1)), parts.ask("gone", fail(error))
    assert parts.of((there.value, gone.otherwise(None))) == Partial(
        data=(1, None), missing=(Missing(part="gone", reason=reason),)
    )
    with pytest.raises(type(error)):
        _ = gone.value


async def test_a_part_gets_its_share_of_the_time() -> None:
    seen: list[str] = []
    async with Parts(Left(0.05)) as parts:
        slow = parts.ask("slow", wait_for(asyncio.Event(), seen), share=0.5)
        quick = parts.ask("quick", answer(2))
    assert (slow.otherwise(0), quick.value, seen) == (0, 2, ["cancelled"])
    assert parts.missing == (Missing(part="slow", reason="timed-out"),)


async def test_without_a_required_part_there_is_no_answer_and_nobody_goes_on() -> None:
    seen: list[str] = []

    async def work() -> None:
        async with Parts(Left()) as parts:
            parts.ask("other", wait_for(asyncio.Event(), seen))
            await asyncio.sleep(0)
            parts.ask("needed", fail(CallRejected("x")), required=True)

    with pytest.raises(CallRejected):
        await work()
    assert seen == ["cancelled"]


@pytest.mark.parametrize("required", [True, False])
async def test_a_mistake_is_no_missing_part(required: bool) -> None:
    with pytest.raises(KeyError):
        async with Parts(Left()) as parts:
            parts.ask("wrong", fail(KeyError("x")), required=required)


async def test_leaving_early_leaves_nobody_behind() -> None:
    seen: list[str] = []

    async def work() -> None:
        async with Parts(Left()) as parts:
            parts.ask("other", wait_for(asyncio.Event(), seen))
            await asyncio.sleep(0)
            raise RuntimeError("own")

    with pytest.raises(RuntimeError, match="own"):
        await work()
    assert seen == ["cancelled"]


@pytest.mark.parametrize("share", [0.0, -1.0, 1.1])
async def test_a_share_is_one(share: float) -> None:
    async with Parts(Left()) as parts:
        with pytest.raises(ValueError, match="share="):
            parts.ask("x", answer(1), share=share)
